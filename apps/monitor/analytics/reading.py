"""Statements that lie in files beside the code, and rows of answers that are too long to hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from django.db import connection, transaction

Row = tuple[Any, ...]
Parameters = Mapping[str, Any]
FOLDER = Path(__file__).parent
# Rows that are on their way at once when an answer is streamed: memory is bounded by them, not by the answer.
BATCH = 20_000


def statement(name: str) -> str:
    """Return a statement of this folder, with what changes a position put in where it asks for it."""
    text = (FOLDER / f"{name}.sql").read_text(encoding="utf-8")
    return text.replace("%(changes)s", (FOLDER / "changes.sql").read_text(encoding="utf-8"))


def rows_of(sql: str, parameters: Parameters) -> list[Row]:
    """Run a statement with named parameters and return all it answers with."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())


def rows_streamed(sql: str, parameters: Parameters) -> Iterator[Row]:
    """Yield what a statement answers with, as it was at one moment, a batch at a time from a cursor of the server's.

    It holds a transaction open until the last row was taken: only for work that goes on by itself.
    """
    with transaction.atomic(), connection.chunked_cursor() as cursor:
        cursor.execute(sql, parameters)
        while batch := cursor.fetchmany(BATCH):
            yield from batch
