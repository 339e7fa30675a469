"""What the Python clients share: the records to write, and how a record is printed."""
import hashlib
import json

TIMES = [0, 1, 2, 1700000001000, 1700000001001, 1700000002500, 1700000004000, 1700000006002, 1700000007001]
CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]
UNKNOWN = "kafka_no_such_topic"


def to_bytes(text):
    if text is not None and text.startswith("\\x"):
        return bytes.fromhex(text[2:])
    return None if text is None else text.encode()


def text(data):
    if data is None:
        return "null"
    plain = (chr(b) if 32 <= b < 127 and b not in b'"\\' else "\\x%02x" % b for b in data)
    return '"' + "".join(plain) + '"'


def line(partition, offset, timestamp, key, value, headers):
    shown = ",".join(text(name.encode()) + "=" + text(content) for name, content in headers or [])
    return f"record {partition} {offset} {timestamp} {text(key)} {text(value)} {shown or '-'}"


def records(path):
    """The records of a file: partition, timestamp, key, value, headers."""
    with open(path) as file:
        for one in map(json.loads, file):
            headers = [(name, to_bytes(content)) for name, content in one["headers"]]
            yield one["partition"], one["timestamp"], to_bytes(one["key"]), to_bytes(one["value"]), headers


def keyed():
    """The records of "keys": keys of growing length, as hashes treat their ends on their own."""
    for n in range(60):
        yield 1700000000000 + n, b"key" + b"x" * (n % 9) + b"%d" % n, b"value %d" % n


def of_codec(codec):
    """The records of "codecs"."""
    for n in range(100):
        yield 1700000000000 + n, b"key %d" % n, b"%s %d" % (codec.encode(), n) + b" text" * 50


def many():
    """The records of "many"."""
    for n in range(50000):
        yield b"key %d" % (n % 1000), b"value %d" % n + b" " * (n % 200)


def print_digests(values):
    """Count and checksum of each partition's values; "values" gives pairs of partition and value."""
    digests, counts = {}, {}
    for partition, value in values:
        digests.setdefault(partition, hashlib.md5()).update(value)
        counts[partition] = counts.get(partition, 0) + 1
    for partition in sorted(digests):
        print("partition", partition, "records", counts[partition], "md5", digests[partition].hexdigest())
