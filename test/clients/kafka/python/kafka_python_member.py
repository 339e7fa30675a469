"""kafka-python as a member of a group: member.py says how it is called.  KIND is "range",
"roundrobin" or "cooperative"."""
from kafka import ConsumerRebalanceListener, KafkaConsumer
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
from kafka.coordinator.assignors.range import RangePartitionAssignor
from kafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor

import member

ASSIGNORS = {"range": RangePartitionAssignor, "roundrobin": RoundRobinPartitionAssignor, "cooperative": CooperativeStickyAssignor}


class Listener(ConsumerRebalanceListener):
    def on_partitions_revoked(self, revoked):
        member.taken(place.partition for place in revoked)

    def on_partitions_assigned(self, assigned):
        member.given(place.partition for place in assigned)


consumer = KafkaConsumer(bootstrap_servers=member.bootstrap, group_id=member.group, client_id=member.name, auto_offset_reset="earliest",
                         auto_commit_interval_ms=200, session_timeout_ms=6000, heartbeat_interval_ms=500,
                         partition_assignment_strategy=[ASSIGNORS[member.kind]])
consumer.subscribe([member.topic], listener=Listener())
while not member.stopping:
    batches = consumer.poll(timeout_ms=200)
    member.say_records((record.partition, record.offset, record.value) for batch in batches.values() for record in batch)
consumer.close()
