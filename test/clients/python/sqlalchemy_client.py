"""SQLAlchemy, over psycopg 3: orders in a transaction, a worker, and a leased worker behind a pooler.

    sqlalchemy_client.py produce FIRST LAST
    sqlalchemy_client.py work
    sqlalchemy_client.py lease MEMBER

Connects as the PG... environment variables say.
"""
import json
import signal
import sys
import threading

from psycopg.errors import QueryCanceled
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

TOPICS = ["orders", '"orders.retry"']

# a pooler gives each transaction another session: no prepared statements
engine = create_engine("postgresql+psycopg://", connect_args={"prepare_threshold": None})


class Stop:
    """Ends a loop on SIGTERM: at once while it polls, else when its work is done.

    A thread waits for the signal, and cancels the query by the driver's connection.
    """

    def __init__(self, conn):
        self.conn = conn
        self.driver = conn.connection.driver_connection
        self.requested = False
        self.polling = False
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
        threading.Thread(target=self.wait, daemon=True).start()

    def wait(self):
        signal.sigwait([signal.SIGTERM])
        self.requested = True
        if self.polling:
            self.driver.cancel()

    def poll(self, query, params):
        """The rows of a query that may wait; none once the program is to stop."""
        self.polling = True
        try:
            return [] if self.requested else self.conn.execute(text(query), params).all()
        except DBAPIError as error:
            if not isinstance(error.orig, QueryCanceled):
                raise
            self.conn.rollback()
            return []
        finally:
            self.polling = False


def produce(first, last):
    with engine.begin() as conn:
        for n in range(first, last + 1):
            conn.execute(text("INSERT INTO orders_made VALUES (:id)"), {"id": n})
            conn.execute(
                text("SELECT produce('orders', :key, :value)"),
                {"key": f"customer {n % 7}", "value": json.dumps({"id": n, "bad": n % 10 == 0})},
            )


def bill(conn, order):
    conn.execute(text("INSERT INTO billed VALUES (:id)"), order)
    if order["bad"]:
        raise ValueError("cannot be billed")


def work():
    with engine.connect() as conn:
        stop = Stop(conn)
        while not stop.requested:
            records = stop.poll(
                "SELECT CAST(topic AS text) AS topic, partition, record_offset, CAST(value AS jsonb) AS value"
                " FROM consume_many(CAST(CAST(:topics AS text[]) AS regclass[]), 'billing', max_records => 10, timeout_ms => 5000)",
                {"topics": TOPICS},
            )
            for r in records:
                try:
                    with conn.begin_nested():  # a savepoint
                        bill(conn, r.value)
                except Exception as error:
                    conn.execute(
                        text("SELECT nack(:topic, 'billing', :partition, :record_offset, :reason)"),
                        {"topic": r.topic, "partition": r.partition, "record_offset": r.record_offset, "reason": str(error)},
                    )
            conn.commit()


def lease(member):
    with engine.connect() as conn:
        stop = Stop(conn)
        while not stop.requested:
            records = stop.poll(
                "SELECT CAST(value AS jsonb) AS value"
                " FROM consume('orders', 'mailing', 10, timeout_ms => 5000, member_id => :member, lease => '10 s')",
                {"member": member},
            )
            conn.commit()  # the lease holds the partitions now, and not the transaction
            if records:
                for r in records:
                    conn.execute(text("INSERT INTO mailed VALUES (:id)"), {"id": r.value["id"]})
                conn.execute(text("SELECT commit_offsets('orders', 'mailing', :member)"), {"member": member})
                conn.commit()
        conn.execute(text("SELECT leave_group('orders', 'mailing', :member)"), {"member": member})
        conn.commit()


if __name__ == "__main__":
    if sys.argv[1] == "produce":
        produce(int(sys.argv[2]), int(sys.argv[3]))
    elif sys.argv[1] == "work":
        work()
    else:
        lease(sys.argv[2])
