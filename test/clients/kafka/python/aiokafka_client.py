"""aiokafka.

    aiokafka_client.py BOOTSTRAP SCENARIO TOPIC [RECORDS]

README.md says what each scenario is.
"""
import asyncio
import contextlib
import sys
import time

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError, OffsetOutOfRangeError

from shared import CODECS, TIMES, UNKNOWN, keyed, line, many, of_codec, print_digests, records

bootstrap, scenario, topic = sys.argv[1:4]


@contextlib.asynccontextmanager
async def started(client):
    await client.start()
    try:
        yield client
    finally:
        await client.stop()


def producer(**settings):
    return started(AIOKafkaProducer(bootstrap_servers=bootstrap, **settings))


def consumer(**settings):
    return started(AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=None, **settings))


def show(record):
    print(line(record.partition, record.offset, record.timestamp, record.key, record.value, record.headers))


async def places(client):
    # it knows the partitions of topics that it has been told of
    await client._client.set_topics([topic])
    return [TopicPartition(topic, partition) for partition in sorted(client.partitions_for_topic(topic))]


async def polled(client, timeout=10):
    batches = await client.getmany(timeout_ms=timeout * 1000)
    return [record for batch in batches.values() for record in batch]


async def all_records():
    """All records up to the ends as they are now, partition by partition."""
    found = []
    async with consumer(auto_offset_reset="earliest") as client:
        for place in await places(client):
            client.assign([place])
            end = (await client.end_offsets([place]))[place]
            await client.seek_to_beginning(place)
            while await client.position(place) < end:
                found += await polled(client)
    return found


async def show_values():
    print_digests((record.partition, record.value) for record in await all_records())


async def read():
    for record in await all_records():
        show(record)


async def metadata():
    async with consumer() as client:
        print("listed", topic in await client.topics())
        print("partitions", len(await places(client)))
        print("an unknown topic:", client.partitions_for_topic(UNKNOWN))


async def write():
    async with producer() as client:
        for partition, timestamp, key, value, headers in records(sys.argv[4]):
            if key is None and value is None:
                print("cannot be said: neither key nor value")
                continue
            sent = await client.send_and_wait(topic, value, key, partition, timestamp, headers)
            print("acknowledged", sent.partition, sent.offset, sent.timestamp)
    await read()


async def keys():
    async with producer(linger_ms=20) as client:
        for timestamp, key, value in keyed():
            await client.send(topic, value, key, timestamp_ms=timestamp)
    await read()


async def codecs():
    for codec in CODECS:
        async with producer(linger_ms=1000, max_batch_size=100000, compression_type=None if codec == "none" else codec) as client:
            for timestamp, key, value in of_codec(codec):
                await client.send(topic, value, key, 0, timestamp)
    await show_values()


async def send_many(**settings):
    async with producer(linger_ms=5, **settings) as client:
        sent = [await client.send(topic, value, key) for key, value in many()]
        await asyncio.gather(*sent)
    await show_values()


async def acks():
    for how in (0, 1, "all"):
        async with producer(acks=how) as client:
            for n in range(5):
                await client.send_and_wait(topic, b"acks %s %d" % (str(how).encode(), n), None, 0, 1700000000000 + n)
    await read()


async def offsets():
    async with consumer() as client:
        for place in await places(client):
            client.assign([place])
            print("partition", place.partition, "begins", (await client.beginning_offsets([place]))[place],
                  "ends", (await client.end_offsets([place]))[place])
            for at in TIMES:
                found = (await client.offsets_for_times({place: at}))[place]
                print(f"at {at}:", found and f"{found.offset} of {found.timestamp}")


async def seek():
    async with consumer(max_poll_records=1) as client:
        place = TopicPartition(topic, 0)
        client.assign([place])
        for offset in (4, 0, 3, 1):
            client.seek(place, offset)
            show((await polled(client))[0])
        await client.seek_to_end(place)
        print("end", await client.position(place), "records", len(await polled(client, 1)))


async def reset():
    for how in ("none", "earliest", "latest"):
        async with consumer(auto_offset_reset=how) as client:
            place = TopicPartition(topic, 0)
            client.assign([place])
            client.seek(place, 1000)
            try:
                print(how, len(await polled(client, 10 if how != "latest" else 1)), await client.position(place))
            except OffsetOutOfRangeError as error:
                print(how, type(error).__name__)


async def error_of(sending):
    try:
        await asyncio.wait_for(sending, 10)
        return "no error"
    except (KafkaError, AssertionError, asyncio.TimeoutError) as error:
        return type(error).__name__


async def errors():
    soon = int(time.time() * 1000) + 1000000000
    async with producer(max_request_size=10000000, request_timeout_ms=5000) as client:
        print("an unknown topic:", await error_of(client.send_and_wait(UNKNOWN, b"v")))
        print("a record that is too large:", await error_of(client.send_and_wait(topic, bytes(200000), None, 0)))
        print("a timestamp in the future:", await error_of(client.send_and_wait(topic, b"v", None, 0, soon)))
        print("a good record:", await error_of(client.send_and_wait(topic, b"good", None, 0, 1700000000000)))
    await read()


async def wait():
    async with consumer(fetch_max_wait_ms=25000, request_timeout_ms=40000, auto_offset_reset="earliest") as client:
        client.assign([TopicPartition(topic, 0)])
        print("nothing", len(await polled(client, 1)))
        async with producer() as sender:
            for n in range(3):
                began = time.time()
                await sender.send_and_wait(topic, b"awaited %d" % n, None, 0, 1700000000000)
                for record in await polled(client, 20):
                    show(record)
                print("soon", time.time() - began < 5)


asyncio.run({"metadata": metadata, "write": write, "read": read, "keys": keys, "codecs": codecs, "many": send_many,
             "idempotent": lambda: send_many(enable_idempotence=True), "acks": acks, "offsets": offsets, "seek": seek,
             "reset": reset, "errors": errors, "wait": wait}[scenario]())
