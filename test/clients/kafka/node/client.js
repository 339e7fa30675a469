// kafkajs: its producer and its administration.  Its consumer needs a group: member.js.
//
//   node client.js BOOTSTRAP SCENARIO TOPIC [RECORDS]
//
// README.md says what each scenario is.
'use strict';
const fs = require('fs');
const { Kafka, CompressionTypes, Partitioners, logLevel } = require('kafkajs');

const [bootstrap, scenario, topic, file] = process.argv.slice(2);
const kafka = new Kafka({ brokers: [bootstrap], logLevel: logLevel.NOTHING, retry: { retries: 2 } });
const unknown = 'kafka_no_such_topic';

function bytes(text) {
    if (text === null) return null;
    return text.startsWith('\\x') ? Buffer.from(text.slice(2), 'hex') : Buffer.from(text);
}

async function withProducer(settings, action) {
    const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner, ...settings });
    await producer.connect();
    try {
        return await action(producer);
    } finally {
        await producer.disconnect();
    }
}

async function withAdmin(action) {
    const admin = kafka.admin();
    await admin.connect();
    try {
        return await action(admin);
    } finally {
        await admin.disconnect();
    }
}

async function attempt(what, action) {
    try {
        await action();
        console.log(`${what}: no error`);
    } catch (error) {
        const cause = error.cause || error;
        console.log(`${what}: ${cause.name} ${cause.type || ''}`);
    }
}

const scenarios = {
    metadata: () => withAdmin(async (admin) => {
        const { brokers, controller, clusterId } = await admin.describeCluster();
        console.log('nodes', brokers.length, 'a controller', controller !== null, 'a cluster id', clusterId !== '');
        console.log('listed', (await admin.listTopics()).includes(topic));
        const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
        for (const p of topics[0].partitions.sort((a, b) => a.partitionId - b.partitionId)) {
            console.log('partition', p.partitionId, 'error', p.partitionErrorCode, 'a leader', brokers.some((b) => b.nodeId === p.leader),
                'replicas', p.replicas.length, 'in sync', p.isr.length);
        }
        await attempt('an unknown topic', () => admin.fetchTopicMetadata({ topics: [unknown] }));
    }),

    // it has one value for a header's name, or a list of them, and cannot say that there is none
    write: () => withProducer({}, async (producer) => {
        for (const json of fs.readFileSync(file, 'utf8').trim().split('\n')) {
            const record = JSON.parse(json);
            const headers = {};
            for (const [name, value] of record.headers) {
                headers[name] = name in headers ? [].concat(headers[name], [bytes(value)]) : bytes(value);
            }
            if (Object.values(headers).includes(null)) {
                console.log('cannot be said: a header without a value');
                continue;
            }
            const [sent] = await producer.send({
                topic,
                messages: [{ partition: record.partition, timestamp: String(record.timestamp), key: bytes(record.key), value: bytes(record.value), headers }],
            });
            console.log('acknowledged', sent.partition, sent.baseOffset, 'error', sent.errorCode);
        }
    }),

    keys: () => withProducer({}, async (producer) => {
        const messages = Array.from({ length: 60 }, (_, n) => ({
            timestamp: String(1700000000000 + n), key: `key${'x'.repeat(n % 9)}${n}`, value: `value ${n}`,
        }));
        for (const sent of (await producer.send({ topic, messages })).sort((a, b) => a.partition - b.partition)) {
            console.log('acknowledged', sent.partition, sent.baseOffset, 'error', sent.errorCode);
        }
    }),

    codecs: () => withProducer({}, async (producer) => {
        for (const [codec, compression] of [['none', CompressionTypes.None], ['gzip', CompressionTypes.GZIP]]) {
            const messages = Array.from({ length: 100 }, (_, n) => ({
                partition: 0, timestamp: String(1700000000000 + n), key: `key ${n}`, value: `${codec} ${n}${' text'.repeat(50)}`,
            }));
            const [sent] = await producer.send({ topic, messages, compression });
            console.log('acknowledged', sent.partition, sent.baseOffset, 'error', sent.errorCode);
        }
    }),

    idempotent: () => withProducer({ idempotent: true }, async (producer) => {
        for (let n = 0; n < 20; n++) {
            const [sent] = await producer.send({ topic, messages: [{ partition: n % 3, timestamp: String(1700000000000 + n), value: `value ${n}` }] });
            console.log('acknowledged', sent.partition, sent.baseOffset, 'error', sent.errorCode);
        }
    }),

    acks: () => withProducer({}, async (producer) => {
        for (const acks of [0, 1, -1]) {
            for (let n = 0; n < 5; n++) {
                await producer.send({ topic, acks, messages: [{ partition: 0, timestamp: String(1700000000000 + n), value: `acks ${acks} ${n}` }] });
            }
        }
    }),

    offsets: () => withAdmin(async (admin) => {
        for (const p of (await admin.fetchTopicOffsets(topic)).sort((a, b) => a.partition - b.partition)) {
            console.log('partition', p.partition, 'offset', p.offset, 'from', p.low, 'to', p.high);
        }
        for (const time of [0, 1, 1700000001001, 1700000002500, 1700000006002, 1700000007001]) {
            const found = await admin.fetchTopicOffsetsByTimestamp(topic, time);
            console.log(`at ${time}:`, found.sort((a, b) => a.partition - b.partition).map((p) => p.offset).join(' '));
        }
    }),

    errors: () => withProducer({ allowAutoTopicCreation: false }, async (producer) => {
        const message = (more) => ({ partition: 0, value: 'v', ...more });
        await attempt('an unknown topic', () => producer.send({ topic: unknown, messages: [message()] }));
        await attempt('a record that is too large', () => producer.send({ topic, messages: [message({ value: Buffer.alloc(200000) })] }));
        await attempt('a timestamp in the future', () => producer.send({ topic, messages: [message({ timestamp: String(Date.now() + 1000000000) })] }));
        await attempt('a good record', () => producer.send({ topic, messages: [message({ timestamp: '1700000000000', value: 'good' })] }));
    }),
};

Object.assign(scenarios, require('./transactions.js')({ kafka, topic, withProducer, withAdmin }));

scenarios[scenario]().catch((error) => {
    console.log(`failed: ${error.name} ${error.message}`);
    process.exit(1);
});
