"""The tables of equity points as SQLAlchemy sees them; migration 0008 makes them.

No Django models: points come in hundreds every few seconds, are thinned by range, and none is ever an object.
Statements run on Django's connection, so that they share its transaction and its way of failing.
"""

from __future__ import annotations

from typing import Any

from django.db import connection
from sqlalchemy import Column, DateTime, Double, Identity, Integer, MetaData, Numeric, Select, Table, Text
from sqlalchemy.dialects.postgresql import JSONB, psycopg2

metadata = MetaData()

# One row per scope with its newest point: what the next one is reckoned from, by whichever guard comes next. `parts`
# says how much money had been put into each account that the equity adds up.
SCOPES = Table(
    "risk_equityscope",
    metadata,
    Column("id", Integer, Identity(), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("equity", Numeric, nullable=False),
    Column("funded", Numeric, nullable=False),
    Column("growth", Double, nullable=False),
    Column("run", Integer, nullable=False),
    Column("parts", JSONB, nullable=False),
)
# `growth` is what one unit of money has become, moved money taken out; to be compared within one `run` only.
POINTS = Table(
    "risk_equitypoint",
    metadata,
    Column("scope_id", Integer, primary_key=True),
    Column("at", DateTime(timezone=True), primary_key=True),
    Column("equity", Double, nullable=False),
    Column("funded", Double, nullable=False),
    Column("growth", Double, nullable=False),
    Column("run", Integer, nullable=False),
)
_DIALECT = psycopg2.dialect()  # type: ignore[no-untyped-call]  # the library's own gap


def rows_of(statement: Select[Any]) -> list[tuple[Any, ...]]:
    """Run a statement of SQLAlchemy on Django's connection and return the rows it answers with."""
    compiled = statement.compile(dialect=_DIALECT, compile_kwargs={"render_postcompile": True})
    with connection.cursor() as cursor:
        cursor.execute(str(compiled), compiled.params)
        return list(cursor.fetchall()) if cursor.description else []
