"""A consumer that writes orders to a table, each exactly once: its rows and its offsets are one transaction of the database.

    confluent_sink.py BOOTSTRAP TOPIC GROUP CONNECTION

docs/kafka.md explains it.  It goes on until it is stopped by SIGTERM, or killed.
"""
import signal
import sys

import psycopg
from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

bootstrap, topic, group, connection = sys.argv[1:]
stopping = []
signal.signal(signal.SIGTERM, lambda *_: stopping.append(True))

consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": group, "enable.auto.commit": False,
                     "auto.offset.reset": "earliest", "session.timeout.ms": 6000, "heartbeat.interval.ms": 500})
consumer.subscribe([topic])
db = psycopg.connect(connection, autocommit=True)


def write(messages):
    """The rows and the offsets behind them, in one transaction."""
    ends = {message.partition(): message.offset() + 1 for message in messages}
    with db.transaction(), db.cursor() as cursor:
        cursor.executemany("INSERT INTO sunk VALUES (%s, %s, %s)",
                           [(message.partition(), message.offset(), message.value().decode()) for message in messages])
        # in one order, as others may wait for the same rows
        for partition, end in sorted(ends.items()):
            cursor.execute("SELECT commit_offset(%s, %s, %s, %s, member_id => 'kafka:' || %s)",
                           (topic, group, partition, end, consumer.memberid()))


def go_back():
    """Read again from where the group is: what was read has not been written."""
    for place in consumer.committed(consumer.assignment()):
        consumer.seek(TopicPartition(place.topic, place.partition, place.offset if place.offset >= 0 else OFFSET_BEGINNING))


while not stopping:
    messages = [message for message in consumer.consume(100, 0.5) if not message.error()]
    try:
        if messages:
            write(messages)
    except psycopg.errors.LockNotAvailable as error:
        print(error, file=sys.stderr)
        go_back()
consumer.close()
