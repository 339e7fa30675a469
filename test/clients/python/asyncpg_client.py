"""asyncpg: orders in a transaction, a worker, and a leased worker behind a pooler.

    asyncpg_client.py produce FIRST LAST
    asyncpg_client.py work
    asyncpg_client.py lease MEMBER

Connects as the PG... environment variables say.
"""
import asyncio
import json
import signal
import sys

import asyncpg

TOPICS = ["orders", '"orders.retry"']


class Stop:
    """Ends a loop on SIGTERM: at once while it polls, else when its work is done."""

    def __init__(self):
        self.requested = False
        self.polling = None
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self.request)

    def request(self):
        self.requested = True
        if self.polling is not None:
            self.polling.cancel()

    async def poll(self, call):
        """The rows of a query that may wait; none once the program is to stop."""
        self.polling = asyncio.ensure_future(call)
        try:
            return await self.polling
        except asyncio.CancelledError:
            return []
        finally:
            self.polling = None


async def produce(first, last):
    conn = await asyncpg.connect()
    async with conn.transaction():
        for n in range(first, last + 1):
            await conn.execute("INSERT INTO orders_made VALUES ($1)", n)
            await conn.fetch("SELECT produce($1, $2, $3)", "orders", f"customer {n % 7}", json.dumps({"id": n, "bad": n % 10 == 0}))
    await conn.close()


async def bill(conn, order):
    await conn.execute("INSERT INTO billed VALUES ($1)", order["id"])
    if order["bad"]:
        raise ValueError("cannot be billed")


async def bill_batch(conn, stop):
    transaction = conn.transaction()
    await transaction.start()
    try:
        records = await stop.poll(
            conn.fetch(
                "SELECT topic::text, partition, record_offset, value"
                " FROM consume_many($1::text[]::regclass[], 'billing', max_records => 10, timeout_ms => 5000)",
                TOPICS,
            )
        )
        for r in records:
            try:
                async with conn.transaction():  # a savepoint
                    await bill(conn, json.loads(r["value"]))
            except Exception as error:
                await conn.fetch("SELECT nack($1, 'billing', $2, $3, $4)", r["topic"], r["partition"], r["record_offset"], str(error))
    except BaseException:
        await transaction.rollback()
        raise
    # after a poll that was cancelled, this is a rollback
    await transaction.commit()


async def work():
    conn = await asyncpg.connect()
    stop = Stop()
    while not stop.requested:
        await bill_batch(conn, stop)
    await conn.close()


async def lease(member):
    # a pooler gives each transaction another session: no prepared statements
    conn = await asyncpg.connect(statement_cache_size=0)
    stop = Stop()
    while not stop.requested:
        records = await stop.poll(
            conn.fetch("SELECT value FROM consume('orders', 'mailing', 10, timeout_ms => 5000, member_id => $1, lease => '10 s')", member)
        )
        if records:
            async with conn.transaction():
                for r in records:
                    await conn.execute("INSERT INTO mailed VALUES ($1)", json.loads(r["value"])["id"])
                await conn.fetch("SELECT commit_offsets('orders', 'mailing', $1)", member)
    await conn.fetch("SELECT leave_group('orders', 'mailing', $1)", member)
    await conn.close()


if __name__ == "__main__":
    if sys.argv[1] == "produce":
        asyncio.run(produce(int(sys.argv[2]), int(sys.argv[3])))
    elif sys.argv[1] == "work":
        asyncio.run(work())
    else:
        asyncio.run(lease(sys.argv[2]))
