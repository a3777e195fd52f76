"""Many rows in one statement.

The ORM's ``bulk_create`` costs about 0.11 ms per row and ``bulk_update`` ten times an ``UPDATE``; the order
path has 2 ms of CPU per order in all processes together, so its hot tables are written with VALUES lists.

``execute_values`` works on the driver's own cursor, past Django: what it raises is wrapped here, so that callers
see ``django.db.DatabaseError`` and a broken session is noticed and replaced.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection
from psycopg2.extras import execute_values

Row = tuple[Any, ...]


def values_run(sql: str, rows: Sequence[Row], template: str | None = None) -> int:
    """Run one statement whose single ``%s`` becomes the list of ``rows``; return how many rows it touched."""
    if not rows:
        return 0
    with connection.cursor() as cursor, connection.wrap_database_errors:
        execute_values(cursor.cursor, sql, rows, template, page_size=len(rows))
        return int(cursor.cursor.rowcount)


def values_fetch(sql: str, rows: Sequence[Row], template: str | None = None) -> list[Row]:
    """Run one statement like `values_run` and return the rows it answers with."""
    if not rows:
        return []
    with connection.cursor() as cursor, connection.wrap_database_errors:
        found: list[Row] = execute_values(cursor.cursor, sql, rows, template, page_size=len(rows), fetch=True)
        return found


def run(sql: str, parameters: Sequence[Any] = ()) -> int:
    """Run one statement and return how many rows it touched."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return int(cursor.rowcount)


def fetch(sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> list[Row]:
    """Run one statement and return the rows it answers with."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())
