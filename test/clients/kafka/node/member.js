// kafkajs as a member of a group:
//
//   node member.js BOOTSTRAP TOPIC GROUP NAME KIND
//
// KIND is "roundrobin", its own way to assign, which has a name of its own, or "range", which
// others have too.  README.md says what a member prints.  It leaves the group at SIGTERM.
'use strict';
const fs = require('fs');
const { Kafka, AssignerProtocol, PartitionAssigners, logLevel } = require('kafkajs');

const [bootstrap, topic, group, name, kind] = process.argv.slice(2);
const kafka = new Kafka({ brokers: [bootstrap], clientId: name, logLevel: logLevel.ERROR });

// written at once, so that nothing is committed that has not been said
const say = (line) => fs.writeSync(1, `${line}\n`);

// each member gets partitions that follow each other
const range = ({ cluster }) => ({
    name: 'range',
    version: 0,
    async assign({ members, topics }) {
        const ids = members.map((member) => member.memberId).sort();
        const shares = new Map(ids.map((id) => [id, {}]));
        for (const one of topics) {
            const partitions = cluster.findTopicPartitionMetadata(one).map((about) => about.partitionId).sort((a, b) => a - b);
            ids.forEach((id, n) => {
                const more = partitions.length % ids.length, least = Math.floor(partitions.length / ids.length);
                const from = least * n + Math.min(n, more);
                shares.get(id)[one] = partitions.slice(from, from + least + (n < more ? 1 : 0));
            });
        }
        return ids.map((id) => ({ memberId: id, memberAssignment: AssignerProtocol.MemberAssignment.encode({ version: 0, assignment: shares.get(id) }) }));
    },
    protocol: ({ topics }) => ({ name: 'range', metadata: AssignerProtocol.MemberMetadata.encode({ version: 0, topics }) }),
});

async function consume() {
    const consumer = kafka.consumer({
        groupId: group, sessionTimeout: 6000, heartbeatInterval: 500, maxWaitTimeInMs: 200,
        partitionAssigners: [kind === 'range' ? range : PartitionAssigners.roundRobin],
    });
    consumer.on(consumer.events.REBALANCING, () => say('assigned'));
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => say(['assigned', ...(payload.memberAssignment[topic] || []).sort()].join(' ')));
    consumer.on(consumer.events.CRASH, ({ payload }) => console.error('crash', payload.error));
    process.on('SIGTERM', () => consumer.disconnect().then(() => process.exit(0)));
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({
        autoCommitInterval: 200,
        eachMessage: async ({ partition, message }) => say(`record ${partition} ${message.offset} ${message.value}`),
    });
}

consume().catch((error) => {
    console.error(error);
    process.exit(1);
});
