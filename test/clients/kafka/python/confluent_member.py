"""confluent-kafka as a member of a group: member.py says how it is called.  KIND is "range",
"roundrobin", "cooperative", or the protocol "consumer"."""
from confluent_kafka import Consumer, KafkaException

import member

settings = {
    "bootstrap.servers": member.bootstrap, "group.id": member.group, "client.id": member.name, "auto.offset.reset": "earliest",
    "auto.commit.interval.ms": 200, "enable.auto.offset.store": False,
}
if member.kind == "consumer":
    settings["group.protocol"] = "consumer"
else:
    strategy = {"cooperative": "cooperative-sticky"}.get(member.kind, member.kind)
    settings |= {"partition.assignment.strategy": strategy, "session.timeout.ms": 6000, "heartbeat.interval.ms": 500}

consumer = Consumer(settings)
consumer.subscribe([member.topic],
                   on_assign=lambda _, places: member.given(place.partition for place in places),
                   on_revoke=lambda _, places: member.taken(place.partition for place in places))
while not member.stopping:
    messages = consumer.consume(500, 0.2)
    for message in messages:
        if message.error():
            raise KafkaException(message.error())
    member.say_records((message.partition(), message.offset(), message.value()) for message in messages)
    for message in messages:
        try:
            consumer.store_offsets(message)
        except KafkaException:
            # the partition has been taken away since
            pass
consumer.close()
