"""confluent-kafka, librdkafka's Python client.

    confluent_client.py BOOTSTRAP SCENARIO TOPIC [RECORDS]

README.md says what each scenario is.
"""
import sys
import time

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from shared import CODECS, TIMES, UNKNOWN, keyed, line, many, of_codec, print_digests, records

bootstrap, scenario, topic = sys.argv[1:4]


def producer(**settings):
    return Producer({"bootstrap.servers": bootstrap} | {name.replace("_", "."): value for name, value in settings.items()})


def consumer(**settings):
    # librdkafka wants a group's name of whoever consumes, and asks no group for anything while
    # partitions are assigned by hand and nothing is committed
    base = {"bootstrap.servers": bootstrap, "group.id": "unused", "enable.auto.commit": False, "auto.offset.reset": "error"}
    return Consumer(base | {name.replace("_", "."): value for name, value in settings.items()})


def checked(message):
    if message.error():
        raise KafkaException(message.error())
    return message


def show(message):
    headers = message.headers()
    print(line(message.partition(), message.offset(), message.timestamp()[1], message.key(), message.value(), headers))


def partitions(client):
    return sorted(client.list_topics(topic, timeout=10).topics[topic].partitions)


def all_messages():
    """All messages up to the ends as they are now, partition by partition."""
    client = consumer(enable_partition_eof=True)
    for partition in partitions(client):
        client.assign([TopicPartition(topic, partition, OFFSET_BEGINNING)])
        while True:
            message = client.poll(20)
            if message is None:
                raise SystemExit("no end of partition %d" % partition)
            if message.error() and message.error().name() == "_PARTITION_EOF":
                break
            yield checked(message)
        client.unassign()
    client.close()


def values():
    return ((message.partition(), message.value()) for message in all_messages())


def read():
    for message in all_messages():
        show(message)


def metadata():
    client = AdminClient({"bootstrap.servers": bootstrap})
    found = client.list_topics(timeout=10)
    print("nodes", len(found.brokers), "a controller", found.controller_id in found.brokers, "a cluster id", bool(found.cluster_id))
    print("listed", topic in found.topics)
    for partition, about in sorted(found.topics[topic].partitions.items()):
        print("partition", partition, "a leader", about.leader in found.brokers, "replicas", len(about.replicas), "in sync", len(about.isrs))
    error = client.list_topics(UNKNOWN, timeout=10).topics[UNKNOWN].error
    print("an unknown topic:", error.name())


def write():
    client = producer()
    outcomes = []
    for partition, timestamp, key, value, headers in records(sys.argv[4]):
        if timestamp == 0:
            print("cannot be said: 0 is the time of now")
            continue
        client.produce(topic, value, key, partition, timestamp=timestamp, headers=headers,
                       on_delivery=lambda error, message: outcomes.append((error, message)))
        client.flush(10)
    for error, message in outcomes:
        print("acknowledged", error or f"{message.partition()} {message.offset()} {message.timestamp()[1]}")
    read()


def keys():
    client = producer(linger_ms=20, partitioner="murmur2_random")
    for timestamp, key, value in keyed():
        client.produce(topic, value, key, timestamp=timestamp)
    client.flush(10)
    read()


def own_keys():
    """librdkafka's own way to choose a partition, by a CRC."""
    client = producer(linger_ms=20)
    for timestamp, key, value in keyed():
        client.produce(topic, value, key, timestamp=timestamp)
    client.flush(10)
    read()


def codecs():
    for codec in CODECS:
        client = producer(linger_ms=1000, compression_type=codec)
        for timestamp, key, value in of_codec(codec):
            client.produce(topic, value, key, 0, timestamp=timestamp)
        client.flush(10)
    print_digests(values())


def send_many(**settings):
    client = producer(linger_ms=5, partitioner="murmur2_random", **settings)
    failed = []
    for key, value in many():
        while True:
            try:
                client.produce(topic, value, key, on_delivery=lambda error, message: error and failed.append(error))
                break
            except BufferError:
                client.poll(0.1)
    client.flush(60)
    print("failed", failed[:1])
    print_digests(values())


def acks():
    for how in ("0", "1", "all"):
        client = producer(acks=how)
        for n in range(5):
            client.produce(topic, b"acks %s %d" % (how.encode(), n), None, 0, timestamp=1700000000000 + n)
            client.flush(10)
    read()


def offsets():
    client = consumer()
    admin = AdminClient({"bootstrap.servers": bootstrap})
    for partition in partitions(client):
        place = TopicPartition(topic, partition)
        print("partition", partition, "from and to", client.get_watermark_offsets(place, timeout=10))
        for at in TIMES:
            found = client.offsets_for_times([TopicPartition(topic, partition, at)], timeout=10)[0]
            # behind the last record librdkafka says "end", the number of which differs by version
            print(f"at {at}:", found.offset if found.offset >= 0 else "end")
        for name, spec in (("earliest", OffsetSpec.earliest()), ("latest", OffsetSpec.latest()),
                           ("max timestamp", OffsetSpec.max_timestamp()), ("time", OffsetSpec.for_timestamp(1700000002500))):
            print(name, admin.list_offsets({place: spec})[place].result(10).offset)
    client.close()


def seek():
    client = consumer()
    client.assign([TopicPartition(topic, 0, 2)])
    show(checked(client.poll(10)))
    for offset in (4, 0, 3, 1):
        client.seek(TopicPartition(topic, 0, offset))
        show(checked(client.poll(10)))
    client.close()


def reset():
    for how in ("error", "earliest", "latest"):
        client = consumer(auto_offset_reset=how, enable_partition_eof=True)
        client.assign([TopicPartition(topic, 0, 1000)])
        message = client.poll(10)
        print(how, message.error().name() if message.error() else "from", message.offset() if not message.error() else "")
        client.close()


def error_of(client, *args, **named):
    outcome = []
    try:
        client.produce(*args, on_delivery=lambda error, message: outcome.append(error), **named)
        client.flush(15)
    except KafkaException as error:
        return error.args[0].name()
    return outcome[0].name() if outcome and outcome[0] else "no error" if outcome else "no answer"


def errors():
    client = producer(message_timeout_ms=5000, message_max_bytes=10000000, topic_metadata_propagation_max_ms=1000)
    soon = int(time.time() * 1000) + 1000000000
    print("an unknown topic:", error_of(client, UNKNOWN, b"v"))
    print("a partition that is not there:", error_of(client, topic, b"v", None, 7))
    print("a record that is too large:", error_of(client, topic, bytes(200000), None, 0))
    print("a timestamp in the future:", error_of(client, topic, b"v", None, 0, timestamp=soon))
    print("a good record:", error_of(client, topic, b"good", None, 0, timestamp=1700000000000))
    read()


def wait():
    client = consumer(fetch_wait_max_ms=25000, socket_timeout_ms=60000)
    client.assign([TopicPartition(topic, 0, OFFSET_BEGINNING)])
    print("nothing", client.poll(1))
    sender = producer()
    for n in range(3):
        began = time.time()
        sender.produce(topic, b"awaited %d" % n, None, 0, timestamp=1700000000000)
        sender.flush(10)
        show(checked(client.poll(20)))
        print("soon", time.time() - began < 5)
    client.close()


def seen():
    client = consumer(isolation_level="read_committed", enable_partition_eof=True)
    found, ends = [], set()
    client.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for partition in range(3)])
    while len(ends) < 3:
        message = client.poll(20)
        if message is None:
            raise SystemExit("no end")
        if message.error():
            ends.add(message.partition())
        else:
            found.append(message.value().decode())
    client.close()
    return " ".join(sorted(found))


def transaction(client, name, offset, commit):
    client.begin_transaction()
    for partition in range(3):
        client.produce(topic, ("%s%d" % (name, partition)).encode(), partition=partition)
    group = Consumer({"bootstrap.servers": bootstrap, "group.id": topic})
    client.send_offsets_to_transaction([TopicPartition(topic, 0, offset)], group.consumer_group_metadata())
    client.flush()
    if commit:
        client.commit_transaction()
    else:
        client.abort_transaction()
    print(name, group.committed([TopicPartition(topic, 0)], timeout=10)[0].offset)
    group.close()


def in_transactions():
    client = producer(transactional_id=topic)
    client.init_transactions()
    transaction(client, "first", 1, True)
    transaction(client, "aborted", 2, False)
    transaction(client, "second", 3, True)
    print("committed:", seen())
    client.begin_transaction()
    client.produce(topic, b"zombie", partition=0)
    client.flush()
    print("while one is open:", seen())
    heir = producer(transactional_id=topic)
    heir.init_transactions()
    transaction(heir, "heir", 4, True)
    try:
        client.produce(topic, b"late", partition=0)
        client.commit_transaction()
        print("the zombie has committed")
    except KafkaException as error:
        print("the zombie:", error.args[0].name())
    print("at the end:", seen())


{"metadata": metadata, "write": write, "read": read, "keys": keys, "own_keys": own_keys, "codecs": codecs,
 "many": send_many, "idempotent": lambda: send_many(enable_idempotence=True), "acks": acks, "offsets": offsets,
 "seek": seek, "reset": reset, "errors": errors, "wait": wait, "in_transactions": in_transactions}[scenario]()
