"""SQLAlchemy, over psycopg 3: orders in a transaction.

    sqlalchemy_client.py produce FIRST LAST

Connects as the PG... environment variables say.
"""
import json
import sys

from sqlalchemy import create_engine, text

_, _, first, last = sys.argv
engine = create_engine("postgresql+psycopg://")
with engine.begin() as conn:
    for n in range(int(first), int(last) + 1):
        conn.execute(text("INSERT INTO orders_made VALUES (:id)"), {"id": n})
        conn.execute(
            text("SELECT produce('orders', :key, :value)"),
            {"key": f"customer {n % 7}", "value": json.dumps({"id": n, "bad": n % 10 == 0})},
        )
