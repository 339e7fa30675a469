// The scenarios of kafkajs with transactions.  It is a client of the older protocol: it names partitions and groups before it uses them.
'use strict';

const toProcess = 300;
const atATime = 20;

module.exports = ({ kafka, topic, withProducer, withAdmin }) => {
    const transactional = (id, action) => withProducer({ transactionalId: id, idempotent: true, maxInFlightRequests: 1 }, action);

    // the values of a topic that are committed, sorted; its consumer needs a group
    async function seen(name) {
        const consumer = kafka.consumer({ groupId: `${topic}-seen-${process.hrtime.bigint()}`, maxWaitTimeInMs: 200, readUncommitted: false });
        const values = [];
        let last = 0;
        await consumer.connect();
        await consumer.subscribe({ topics: [name], fromBeginning: true });
        consumer.on(consumer.events.GROUP_JOIN, () => { last = Date.now(); });
        await consumer.run({ autoCommit: false, eachMessage: async ({ message }) => { values.push(message.value.toString()); last = Date.now(); } });
        while (last === 0 || Date.now() - last < 2000) await new Promise((resolve) => setTimeout(resolve, 50));
        await consumer.disconnect();
        return values.sort();
    }

    const offsetOf = (offset) => ({ consumerGroupId: topic, topics: [{ topic, partitions: [{ partition: 0, offset: String(offset) }] }] });

    // a transaction with a record in each partition, and an offset of the group
    async function transaction(producer, name, offset, commit) {
        const one = await producer.transaction();
        await one.send({ topic, messages: [0, 1, 2].map((partition) => ({ partition, value: `${name}${partition}` })) });
        await one.sendOffsets(offsetOf(offset));
        await (commit ? one.commit() : one.abort());
        await withAdmin(async (admin) => {
            const [found] = await admin.fetchOffsets({ groupId: topic, topics: [topic] });
            console.log(`${name}: ${found.partitions.find((p) => p.partition === 0).offset}`);
        });
    }

    // Take records in transactions with the group's offsets, of which each third one is aborted and done again.
    async function processAll(producer) {
        const consumer = kafka.consumer({ groupId: topic, maxWaitTimeInMs: 200, readUncommitted: false, sessionTimeout: 6000, heartbeatInterval: 500 });
        let done = 0, transactions = 0, aborted = 0;
        await consumer.connect();
        await consumer.subscribe({ topics: [topic], fromBeginning: true });
        await new Promise((resolve, reject) => {
            consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
            consumer.run({
                autoCommit: false,
                eachBatchAutoResolve: false,
                eachBatch: async ({ batch, resolveOffset, heartbeat }) => {
                    for (let from = 0; from < batch.messages.length;) {
                        const some = batch.messages.slice(from, from + atATime);
                        const last = some[some.length - 1].offset;
                        const one = await producer.transaction();
                        await one.send({ topic: `${topic}-out`, messages: some.map(({ value }) => ({ value })) });
                        await one.sendOffsets({
                            consumerGroupId: topic,
                            topics: [{ topic, partitions: [{ partition: batch.partition, offset: String(BigInt(last) + 1n) }] }],
                        });
                        if (++transactions % 3 === 0) {
                            await one.abort();
                            aborted++;
                            continue;
                        }
                        await one.commit();
                        resolveOffset(last);
                        done += some.length;
                        from += some.length;
                        await heartbeat();
                    }
                    if (done >= toProcess) resolve();
                },
            }).catch(reject);
        });
        await consumer.disconnect();
        console.log('some were aborted', aborted > 0);
        return done;
    }

    return {
        in_transactions: () => transactional(topic, async (producer) => {
            await transaction(producer, 'first', 1, true);
            await transaction(producer, 'aborted', 2, false);
            await transaction(producer, 'second', 3, true);
            console.log('committed:', (await seen(topic)).join(' '));
            const zombie = await producer.transaction();
            await zombie.send({ topic, messages: [{ partition: 0, value: 'zombie' }] });
            console.log('while one is open:', (await seen(topic)).join(' '));
            await transactional(topic, (heir) => transaction(heir, 'heir', 4, true));
            try {
                await zombie.send({ topic, messages: [{ partition: 0, value: 'late' }] });
                await zombie.commit();
                console.log('the zombie has committed');
            } catch (error) {
                console.log('the zombie:', (error.cause || error).type || error.name);
            }
            console.log('at the end:', (await seen(topic)).join(' '));
        }),

        process: async () => {
            await withAdmin((admin) => admin.createTopics({ topics: [{ topic: `${topic}-out`, numPartitions: 3, replicationFactor: 1 }] }));
            await withProducer({}, (producer) => producer.send({
                topic, messages: Array.from({ length: toProcess }, (_, n) => ({ partition: n % 3, value: String(n).padStart(3, '0') })),
            }));
            const done = await transactional(`${topic}-one`, processAll);
            const values = await seen(`${topic}-out`);
            console.log('processed', done, 'there', values.length, 'different', new Set(values).size);
            await withAdmin(async (admin) => {
                const [found] = await admin.fetchOffsets({ groupId: topic, topics: [topic] });
                for (const { partition, offset } of found.partitions.sort((a, b) => a.partition - b.partition)) console.log('committed', partition, offset);
            });
        },
    };
};
