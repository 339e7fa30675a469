"""kafka-python.

    kafka_python_client.py BOOTSTRAP SCENARIO TOPIC [RECORDS]

README.md says what each scenario is.
"""
import sys
import time

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import KafkaError, OffsetOutOfRangeError
from kafka.structs import OffsetAndMetadata

from shared import CODECS, TIMES, UNKNOWN, keyed, line, many, of_codec, print_digests, records

bootstrap, scenario, topic = sys.argv[1:4]


def producer(**settings):
    return KafkaProducer(bootstrap_servers=bootstrap, **settings)


def consumer(**settings):
    return KafkaConsumer(bootstrap_servers=bootstrap, group_id=None, **settings)


def show(record):
    print(line(record.partition, record.offset, record.timestamp, record.key, record.value, record.headers))


def places(client):
    return [TopicPartition(topic, partition) for partition in sorted(client.partitions_for_topic(topic))]


def polled(client, timeout=10):
    """The records of one poll of one partition; none when there are none in that time."""
    return [record for batch in client.poll(timeout_ms=timeout * 1000).values() for record in batch]


def all_records():
    """All records up to the ends as they are now, partition by partition."""
    client = consumer(auto_offset_reset="earliest")
    for place in places(client):
        end = client.end_offsets([place])[place]
        client.assign([place])
        client.seek_to_beginning(place)
        while client.position(place) < end:
            yield from polled(client)
    client.close()


def values():
    return ((record.partition, record.value) for record in all_records())


def read():
    for record in all_records():
        show(record)


def metadata():
    client = KafkaAdminClient(bootstrap_servers=bootstrap)
    print("listed", topic in client.list_topics())
    for about in client.describe_topics([topic]):
        print("topic", about.get("name", about.get("topic")))
        for partition in sorted(about["partitions"], key=lambda p: p.get("partition_index", p.get("partition"))):
            print("partition", partition.get("partition_index", partition.get("partition")), "error", partition["error_code"],
                  "replicas", len(partition.get("replica_nodes", partition.get("replicas"))),
                  "in sync", len(partition.get("isr_nodes", partition.get("isr"))))
    cluster = client.describe_cluster()
    print("nodes", len(cluster["brokers"]), "a cluster id", bool(cluster["cluster_id"]))
    client.close()
    client = consumer()
    print("an unknown topic:", client.partitions_for_topic(UNKNOWN))
    client.close()


def write():
    client = producer()
    for partition, timestamp, key, value, headers in records(sys.argv[4]):
        if key is None and value is None or any(content is None for _, content in headers):
            print("cannot be said:", key, value)
            continue
        sent = client.send(topic, value, key, headers, partition, timestamp).get(10)
        print("acknowledged", sent.partition, sent.offset, sent.timestamp)
    client.close()
    read()


def keys():
    client = producer(linger_ms=20)
    for timestamp, key, value in keyed():
        client.send(topic, value, key, timestamp_ms=timestamp)
    client.close()
    read()


def codecs():
    for codec in CODECS:
        client = producer(linger_ms=1000, batch_size=100000, compression_type=None if codec == "none" else codec)
        for timestamp, key, value in of_codec(codec):
            client.send(topic, value, key, partition=0, timestamp_ms=timestamp)
        client.flush()
        client.close()
    print_digests(values())


def send_many(**settings):
    client = producer(linger_ms=5, **settings)
    sent = [client.send(topic, value, key) for key, value in many()]
    client.flush()
    print("failed", sum(one.failed() for one in sent))
    client.close()
    print_digests(values())


def acks():
    for how in (0, 1, "all"):
        client = producer(acks=how, enable_idempotence=False)
        for n in range(5):
            client.send(topic, b"acks %s %d" % (str(how).encode(), n), partition=0, timestamp_ms=1700000000000 + n).get(10)
        client.close()
    read()


def offsets():
    client = consumer()
    for place in places(client):
        print("partition", place.partition, "begins", client.beginning_offsets([place])[place], "ends", client.end_offsets([place])[place])
        for at in TIMES:
            found = client.offsets_for_times({place: at})[place]
            print(f"at {at}:", found and f"{found.offset} of {found.timestamp}")
    client.close()


def seek():
    client = consumer(max_poll_records=1)
    place = TopicPartition(topic, 0)
    client.assign([place])
    for offset in (4, 0, 3, 1):
        client.seek(place, offset)
        show(polled(client)[0])
    client.seek_to_end(place)
    print("end", client.position(place), "records", len(polled(client, 1)))
    client.close()


def reset():
    for how in ("none", "earliest", "latest"):
        client = consumer(auto_offset_reset=how)
        place = TopicPartition(topic, 0)
        client.assign([place])
        client.seek(place, 1000)
        try:
            print(how, len(polled(client, 10 if how != "latest" else 1)), client.position(place))
        except OffsetOutOfRangeError as error:
            print(how, type(error).__name__)
        client.close()


def error_of(action):
    try:
        action()
        return "no error"
    except (KafkaError, ValueError) as error:
        return type(error).__name__


def errors():
    client = producer(max_block_ms=2000, max_request_size=10000000, retries=0)
    soon = int(time.time() * 1000) + 1000000000
    print("an unknown topic:", error_of(lambda: client.send(UNKNOWN, b"v").get(10)))
    print("a partition that is not there:", error_of(lambda: client.send(topic, b"v", partition=7).get(10)))
    print("a record that is too large:", error_of(lambda: client.send(topic, bytes(200000), partition=0).get(10)))
    print("a timestamp in the future:", error_of(lambda: client.send(topic, b"v", partition=0, timestamp_ms=soon).get(10)))
    print("a good record:", error_of(lambda: client.send(topic, b"good", partition=0, timestamp_ms=1700000000000).get(10)))
    client.close(timeout=5)
    read()


def wait():
    client = consumer(fetch_max_wait_ms=25000, request_timeout_ms=40000, auto_offset_reset="earliest")
    client.assign([TopicPartition(topic, 0)])
    print("nothing", len(polled(client, 1)))
    sender = producer()
    for n in range(3):
        began = time.time()
        sender.send(topic, b"awaited %d" % n, partition=0, timestamp_ms=1700000000000).get(10)
        for record in polled(client, 20):
            show(record)
        print("soon", time.time() - began < 5)
    client.close()
    sender.close()


def seen():
    client = consumer(isolation_level="read_committed", auto_offset_reset="earliest")
    places = [TopicPartition(topic, partition) for partition in range(3)]
    client.assign(places)
    client.seek_to_beginning(*places)
    found = []
    while batch := polled(client, 5):
        found += [record.value.decode() for record in batch]
    client.close()
    return " ".join(sorted(found))


def transaction(client, name, offset, commit):
    client.begin_transaction()
    for partition in range(3):
        client.send(topic, ("%s%d" % (name, partition)).encode(), partition=partition)
    client.send_offsets_to_transaction({TopicPartition(topic, 0): OffsetAndMetadata(offset, "", -1)}, topic)
    client.flush()
    if commit:
        client.commit_transaction()
    else:
        client.abort_transaction()
    group = KafkaConsumer(bootstrap_servers=bootstrap, group_id=topic)
    print(name, group.committed(TopicPartition(topic, 0)))
    group.close()


def in_transactions():
    client = producer(transactional_id=topic)
    client.init_transactions()
    transaction(client, "first", 1, True)
    transaction(client, "aborted", 2, False)
    transaction(client, "second", 3, True)
    print("committed:", seen())
    client.begin_transaction()
    client.send(topic, b"zombie", partition=0).get(10)
    print("while one is open:", seen())
    heir = producer(transactional_id=topic)
    heir.init_transactions()
    transaction(heir, "heir", 4, True)
    print("the zombie:", error_of(lambda: (client.send(topic, b"late", partition=0).get(10), client.commit_transaction())))
    print("at the end:", seen())
    heir.close()
    client.close(timeout=5)


{"metadata": metadata, "write": write, "read": read, "keys": keys, "codecs": codecs, "many": lambda: send_many(enable_idempotence=False),
 "idempotent": lambda: send_many(enable_idempotence=True), "acks": acks, "offsets": offsets, "seek": seek, "reset": reset,
 "errors": errors, "wait": wait, "in_transactions": in_transactions}[scenario]()
