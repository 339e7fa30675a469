#!/usr/bin/python3
"""Read a segment's .log file with a stock Kafka client library.

    kafka_decode.py FILE [END_BYTES]    one JSON line a record
    kafka_decode.py --self-test         decode known batches, TAP output

Shows that what pg_topics stores is what Kafka's tools read: the decoding is
python3-kafka's (Debian package, 2.0.2), none of ours.  Each batch's CRC is
checked first.  END_BYTES is the log's end where the file may have bytes behind
it; the batches must fill the file up to there exactly.

    {"offset": 0, "timestamp": 0, "key": "6b", "value": "76", "headers": []}

Keys, values and header values are hex, or null.  Exit code: 0 all was read,
1 damage or a codec that is not installed (said on stderr), 2 wrong usage.
"""

import json
import struct
import sys

from kafka.errors import CorruptRecordException, UnsupportedCodecError
from kafka.record import MemoryRecords

LOG_OVERHEAD = 12       # baseOffset and batchLength
HEADER_SIZE = 61
MAGIC_AT = 16
MAGIC = 2


class Damage(Exception):
    """The bytes are not whole, sound batches."""


def hex_or_none(value):
    return None if value is None else bytes(value).hex()


def split_batches(data):
    """Yield (position, bytes) of each batch.

    The library stops in silence where the last batch is cut off, so the
    lengths are followed here and each batch is handed to it alone.
    """
    position = 0
    while position < len(data):
        rest = len(data) - position
        if rest < HEADER_SIZE:
            raise Damage("byte %d: %d bytes left over" % (position, rest))
        (length,) = struct.unpack_from(">i", data, position + 8)
        length += LOG_OVERHEAD
        if length < HEADER_SIZE or length > rest:
            raise Damage("byte %d: batch of %d bytes, %d are there" % (position, length, rest))
        if data[position + MAGIC_AT] != MAGIC:
            raise Damage("byte %d: format version %d" % (position, data[position + MAGIC_AT]))
        yield position, data[position:position + length]
        position += length


def decode(data):
    """Yield each record as a dictionary, ready for JSON."""
    for position, raw in split_batches(data):
        batch = MemoryRecords(raw).next_batch()
        if not batch.validate_crc():
            raise Damage("byte %d: wrong CRC" % position)
        try:
            for record in batch:
                yield {
                    "offset": record.offset,
                    "timestamp": record.timestamp,
                    "key": hex_or_none(record.key),
                    "value": hex_or_none(record.value),
                    "headers": [[name, hex_or_none(value)] for name, value in record.headers],
                }
        except (CorruptRecordException, IndexError, struct.error) as e:
            raise Damage("byte %d: %s" % (position, e)) from e


def record(offset, timestamp, key, value, headers=()):
    """What decode() should give for that record."""
    return {
        "offset": offset,
        "timestamp": timestamp,
        "key": hex_or_none(key),
        "value": hex_or_none(value),
        "headers": [[name, hex_or_none(v)] for name, v in headers],
    }


T0 = 1700000000000

# The batches that test/unit/unit_test.c encodes or decodes: name, hex, records.
VECTORS = [
    ("k/v",
     "00000000000000000000003a0000000002fe917cab0000000000000000000000000000000000000000"
     "0000ffffffffffffffffffffffffffff0000000110000000026b027600",
     [record(0, 0, b"k", b"v")]),
    ("of two",
     "0000000000000005000000690000000002ed232e490000000000010000018bcfe568000000018bcfe5"
     "680affffffffffffffffffffffffffff0000000258000000123132333434373737373a7b226974656d"
     "223a22626f6f6b222c227072696365223a31302e39397d001400140201010202680278",
     [record(5, T0, b"123447777", b'{"item":"book","price":10.99}'),
      record(6, T0 + 10, None, None, [("h", b"x")])]),
    ("tombstone",
     "0000000000000007000000390000000002cfd5eff80000000000000000018bcfe568000000018bcfe5"
     "6800ffffffffffffffffffffffffffff000000010e000000026b0100",
     [record(7, T0, b"k", None)]),
    ("compacted",
     "00000000000000000000003a00000000022057cb9e0000000000090000018bcfe568000000018bcfe5"
     "6800ffffffffffffffffffffffffffff00000001100000060261023100",
     [record(3, T0, b"a", b"1")]),
    ("snappy",
     "000000000000000000000067000000000296c37c420002000000020000018bcfe568000000018bcfe5"
     "6800ffffffffffffffffffffffffffff0000000382534e415050590000000001000000010000002257"
     "2038000000046b3028764a01001c0038000002046b31621d000c04046b32561d00",
     [record(n, T0, b"k%d" % n, b"v" * 20) for n in range(3)]),
    ("gzip",
     "0000000000000000000000600000000002b3ace34f0001000000020000018bcfe568000000018bcfe568"
     "00ffffffffffffffffffffffffffff000000031f8b08000f27036b02ffb360606060c936d028c302182c"
     "18189858b20d714ab2b0641b6197040062147b8d57000000",
     [record(n, T0, b"k%d" % n, b"v" * 20) for n in range(3)]),
    ("lz4",
     "00000000000000000000006e0000000002de9de7bf0003000000020000018bcfe568000000018bcfe568"
     "00ffffffffffffffffffffffffffff0000000304224d18684057000000000000007f260000009f380000"
     "00046b3028760100008f0038000002046b311d00064d04046b321d0050767676760000000000",
     [record(n, T0, b"k%d" % n, b"v" * 20) for n in range(3)]),
    ("zstd",
     "0000000000000000000000590000000002d4a85ecb0004000000020000018bcfe568000000018bcfe568"
     "00ffffffffffffffffffffffffffff0000000328b52ffd2057fd0000a838000000046b30287600380000"
     "02046b3104046b3203004021402d3c0147",
     [record(n, T0, b"k%d" % n, b"v" * 20) for n in range(3)]),
]


def problem_of(data):
    """What decode() finds wrong, or None."""
    try:
        for _ in decode(data):
            pass
    except Damage as e:
        return str(e)
    return None


def self_test():
    """Decode the vectors, alone and in a row, and see damage.  Returns the exit code."""
    results = []

    def ok(good, name):
        results.append(bool(good))
        print("%sok %d - %s" % ("" if good else "not ", len(results), name))

    for name, text, want in VECTORS:
        try:
            ok(list(decode(bytes.fromhex(text))) == want, "batch " + name)
        except UnsupportedCodecError:
            ok(True, "batch %s # SKIP no library for its codec" % name)

    plain = VECTORS[:4]
    row = b"".join(bytes.fromhex(text) for _, text, _ in plain)
    ok(list(decode(row)) == [r for _, _, want in plain for r in want], "batches in a row")
    ok(list(decode(b"")) == [], "no bytes, no records")

    whole = bytes.fromhex(VECTORS[0][1])
    flipped = whole[:-1] + bytes([whole[-1] ^ 1])
    ok(problem_of(flipped) == "byte 0: wrong CRC", "a flipped bit is seen")
    ok(all(problem_of(whole + whole[:cut]) for cut in range(1, len(whole))), "a cut batch is seen")
    print("1..%d" % len(results))
    return 0 if all(results) else 1


def main(argv):
    if argv[1:] == ["--self-test"]:
        return self_test()
    if len(argv) not in (2, 3) or argv[1].startswith("-"):
        print(__doc__, file=sys.stderr)
        return 2
    with open(argv[1], "rb") as f:
        data = f.read()
    if len(argv) == 3:
        end = int(argv[2])
        if end > len(data):
            print("%s: ends at %d, before %d" % (argv[1], len(data), end), file=sys.stderr)
            return 1
        data = data[:end]
    try:
        for r in decode(data):
            print(json.dumps(r))
    except (Damage, UnsupportedCodecError) as e:
        print("%s: %s" % (argv[1], e or type(e).__name__), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
