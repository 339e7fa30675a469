"""What the Python clients share as members of a group.

    CLIENT_member.py BOOTSTRAP TOPIC GROUP NAME KIND

README.md says what KIND is and what a member prints.  It leaves the group at SIGTERM.
"""
import signal
import sys

bootstrap, topic, group, name, kind = sys.argv[1:6]
assigned = set()
stopping = False


def say(*words):
    """Written at once, so that nothing is committed that has not been said."""
    print(*words, flush=True)


def say_records(records):
    """Records by partition, offset and value."""
    lines = ["record %d %d %s\n" % (partition, offset, value.decode()) for partition, offset, value in records]
    sys.stdout.write("".join(lines))
    sys.stdout.flush()


def given(partitions):
    assigned.update(partitions)
    say("assigned", *sorted(assigned))


def taken(partitions):
    assigned.difference_update(partitions)
    say("assigned", *sorted(assigned))


def stop(*_):
    global stopping
    stopping = True


signal.signal(signal.SIGTERM, stop)
