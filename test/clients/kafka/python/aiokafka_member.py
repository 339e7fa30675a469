"""aiokafka as a member of a group: member.py says how it is called.  KIND is "range",
"roundrobin" or "sticky"."""
import asyncio

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor

import member

ASSIGNORS = {"range": RangePartitionAssignor, "roundrobin": RoundRobinPartitionAssignor, "sticky": StickyPartitionAssignor}


class Listener(ConsumerRebalanceListener):
    async def on_partitions_revoked(self, revoked):
        member.taken(place.partition for place in revoked)

    async def on_partitions_assigned(self, assigned):
        member.given(place.partition for place in assigned)


async def consume():
    consumer = AIOKafkaConsumer(bootstrap_servers=member.bootstrap, group_id=member.group, client_id=member.name, auto_offset_reset="earliest",
                                auto_commit_interval_ms=200, session_timeout_ms=6000, heartbeat_interval_ms=500,
                                partition_assignment_strategy=[ASSIGNORS[member.kind]])
    consumer.subscribe([member.topic], listener=Listener())
    await consumer.start()
    while not member.stopping:
        batches = await consumer.getmany(timeout_ms=200)
        member.say_records((record.partition, record.offset, record.value) for batch in batches.values() for record in batch)
    await consumer.stop()


asyncio.run(consume())
