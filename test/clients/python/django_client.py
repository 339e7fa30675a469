"""Django, over psycopg 3: orders in a transaction, a worker, and a leased worker behind a pooler.

    django_client.py produce FIRST LAST
    django_client.py work
    django_client.py lease MEMBER

Connects as the PG... environment variables say.  A worker is a management command in a
project; here the settings are in the program.
"""
import json
import os
import signal
import sys
import threading

import django
from django.conf import settings

settings.configure(
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": os.environ["PGDATABASE"],
            # behind a pooler there are no cursors that outlive a transaction
            "DISABLE_SERVER_SIDE_CURSORS": True,
        }
    }
)
django.setup()

from django.db import OperationalError, connection, transaction  # noqa: E402
from psycopg.errors import QueryCanceled  # noqa: E402

TOPICS = ["orders", '"orders.retry"']


class Stop:
    """Ends a loop on SIGTERM: at once while it polls, else when its work is done.

    A thread waits for the signal, and cancels the query by the driver's connection.
    """

    def __init__(self):
        connection.ensure_connection()
        self.driver = connection.connection
        self.requested = False
        self.polling = False
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
        threading.Thread(target=self.wait, daemon=True).start()

    def wait(self):
        signal.sigwait([signal.SIGTERM])
        self.requested = True
        if self.polling:
            self.driver.cancel()

    def poll(self, cursor, query, params):
        """The rows of a query that may wait; none once the program is to stop."""
        self.polling = True
        try:
            if self.requested:
                return []
            cursor.execute(query, params)
            return cursor.fetchall()
        finally:
            self.polling = False

    def by_request(self, error):
        """Is it the error of a poll that was stopped?"""
        return self.requested and isinstance(error.__cause__, QueryCanceled)


def produce(first, last):
    with transaction.atomic(), connection.cursor() as cursor:
        for n in range(first, last + 1):
            cursor.execute("INSERT INTO orders_made VALUES (%s)", [n])
            cursor.execute(
                "SELECT produce('orders', %s, %s)",
                [f"customer {n % 7}", json.dumps({"id": n, "bad": n % 10 == 0})],
            )


def bill(cursor, order):
    cursor.execute("INSERT INTO billed VALUES (%s)", [order["id"]])
    if order["bad"]:
        raise ValueError("cannot be billed")


def bill_some(stop):
    with transaction.atomic(), connection.cursor() as cursor:
        records = stop.poll(
            cursor,
            "SELECT topic::text, partition, record_offset, value::text"
            " FROM consume_many(%s::text[]::regclass[], 'billing', max_records => 10, timeout_ms => 5000)",
            [TOPICS],
        )
        for topic, partition, record_offset, value in records:
            try:
                with transaction.atomic():  # a savepoint
                    bill(cursor, json.loads(value))
            except Exception as error:
                cursor.execute("SELECT nack(%s, 'billing', %s, %s, %s)", [topic, partition, record_offset, str(error)])


def work():
    stop = Stop()
    while not stop.requested:
        try:
            bill_some(stop)
        except OperationalError as error:
            if not stop.by_request(error):
                raise


def mail_some(stop, member):
    with connection.cursor() as cursor:
        records = stop.poll(
            cursor,
            "SELECT value::text FROM consume('orders', 'mailing', 10, timeout_ms => 5000, member_id => %s, lease => '10 s')",
            [member],
        )
    if records:
        with transaction.atomic(), connection.cursor() as cursor:
            for (value,) in records:
                cursor.execute("INSERT INTO mailed VALUES (%s)", [json.loads(value)["id"]])
            cursor.execute("SELECT commit_offsets('orders', 'mailing', %s)", [member])


def lease(member):
    stop = Stop()
    while not stop.requested:
        try:
            mail_some(stop, member)
        except OperationalError as error:
            if not stop.by_request(error):
                raise
    with connection.cursor() as cursor:
        cursor.execute("SELECT leave_group('orders', 'mailing', %s)", [member])


if __name__ == "__main__":
    if sys.argv[1] == "produce":
        produce(int(sys.argv[2]), int(sys.argv[3]))
    elif sys.argv[1] == "work":
        work()
    else:
        lease(sys.argv[2])
