"""psycopg 3: orders in a transaction, a worker, and a leased worker behind a pooler.

    psycopg_client.py produce FIRST LAST
    psycopg_client.py work
    psycopg_client.py lease MEMBER

Connects as the PG... environment variables say.
"""
import signal
import sys
import threading

import psycopg
from psycopg.rows import namedtuple_row
from psycopg.types.json import Jsonb

TOPICS = ["orders", '"orders.retry"']


class Stop:
    """Ends a loop on SIGTERM: at once while it polls, else when its work is done.

    A thread waits for the signal: psycopg lets Python's signal handlers run only ten times a
    second while it waits for the server.
    """

    def __init__(self, conn):
        self.conn = conn
        self.requested = False
        self.polling = False
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
        threading.Thread(target=self.wait, daemon=True).start()

    def wait(self):
        signal.sigwait([signal.SIGTERM])
        self.requested = True
        if self.polling:
            self.conn.cancel()

    def poll(self, query, params):
        """The rows of a query that may wait; none once the program is to stop."""
        self.polling = True
        try:
            return [] if self.requested else self.conn.execute(query, params).fetchall()
        except psycopg.errors.QueryCanceled:
            self.conn.rollback()
            return []
        finally:
            self.polling = False


def produce(first, last):
    with psycopg.connect() as conn, conn.transaction():
        for n in range(first, last + 1):
            conn.execute("INSERT INTO orders_made VALUES (%s)", (n,))
            conn.execute("SELECT produce(%s, %s, %s)", ("orders", f"customer {n % 7}", Jsonb({"id": n, "bad": n % 10 == 0})))


def bill(conn, order):
    conn.execute("INSERT INTO billed VALUES (%s)", (order["id"],))
    if order["bad"]:
        raise ValueError("cannot be billed")


def work():
    with psycopg.connect(row_factory=namedtuple_row) as conn:
        stop = Stop(conn)
        while not stop.requested:
            records = stop.poll(
                "SELECT topic::text, partition, record_offset, value::jsonb AS value"
                " FROM consume_many(%s::text[]::regclass[], 'billing', max_records => 10, timeout_ms => 5000)",
                (TOPICS,),
            )
            for r in records:
                try:
                    with conn.transaction():  # a savepoint
                        bill(conn, r.value)
                except Exception as error:
                    conn.execute("SELECT nack(%s, 'billing', %s, %s, %s)", (r.topic, r.partition, r.record_offset, str(error)))
            conn.commit()


def lease(member):
    # a pooler gives each transaction another session: no prepared statements
    with psycopg.connect(autocommit=True, prepare_threshold=None, row_factory=namedtuple_row) as conn:
        stop = Stop(conn)
        while not stop.requested:
            records = stop.poll(
                "SELECT value::jsonb AS value FROM consume('orders', 'mailing', 10, timeout_ms => 5000, member_id => %s, lease => '10 s')",
                (member,),
            )
            if records:
                with conn.transaction():
                    for r in records:
                        conn.execute("INSERT INTO mailed VALUES (%s)", (r.value["id"],))
                    conn.execute("SELECT commit_offsets('orders', 'mailing', %s)", (member,))
        conn.execute("SELECT leave_group('orders', 'mailing', %s)", (member,))


if __name__ == "__main__":
    if sys.argv[1] == "produce":
        produce(int(sys.argv[2]), int(sys.argv[3]))
    elif sys.argv[1] == "work":
        work()
    else:
        lease(sys.argv[2])
