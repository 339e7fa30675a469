"""Django, over psycopg 3: orders in a transaction.

    django_client.py produce FIRST LAST

Connects as the PG... environment variables say.
"""
import json
import os
import sys

import django
from django.conf import settings

settings.configure(
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": os.environ["PGDATABASE"],
        }
    }
)
django.setup()

from django.db import connection, transaction  # noqa: E402

_, _, first, last = sys.argv
with transaction.atomic(), connection.cursor() as cursor:
    for n in range(int(first), int(last) + 1):
        cursor.execute("INSERT INTO orders_made VALUES (%s)", [n])
        cursor.execute(
            "SELECT produce('orders', %s, %s)",
            [f"customer {n % 7}", json.dumps({"id": n, "bad": n % 10 == 0})],
        )
