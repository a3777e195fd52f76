"""Lists as PostgreSQL writes them: to make each row a model here, check it and write it out takes five times as long.

What a line says is described by its schema as ever; a test holds the two to each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson
from fastapi import Response

from apps.exchanges.bulk import fetch

JSON = "application/json"


def amount(expression: str) -> str:
    """Return the SQL of an amount as `amounts.plain` tells it: no exponent, and no zeros that say nothing."""
    return f"trim_scale({expression})::text"


def moment(expression: str) -> str:
    """Return the SQL of a moment as the schemas tell it: in UTC, with microseconds if there are any."""
    text = f"""to_char({expression} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US')"""
    return f"replace({text}, '.000000', '') || 'Z'"


def columns(table: str, plain: Sequence[str] = (), amounts: Sequence[str] = (), moments: Sequence[str] = ()) -> str:
    """Return the SQL of columns of a table under their own names."""
    told = [f"{table}.{name}" for name in plain]
    told += [f"{amount(f'{table}.{name}')} AS {name}" for name in amounts]
    return ", ".join(told + [f"{moment(f'{table}.{name}')} AS {name}" for name in moments])


@dataclass(frozen=True, slots=True)
class Lines:
    """What to tell: columns of a table (with its alias) and of what is joined to it; `key` is what pages go by.

    Rows of the table are chosen first, and only what is chosen is joined and written out. All of this is SQL of ours:
    what somebody asks for goes into `values`, which the `%s` of the conditions stand for.
    """

    columns: str
    table: str
    joins: str
    key: str = "id"
    conditions: tuple[str, ...] = ()
    values: tuple[object, ...] = ()

    def where(self, condition: str, *values: object) -> Lines:
        """Return those for which a condition on the table holds."""
        return replace(self, conditions=(*self.conditions, condition), values=(*self.values, *values))

    def where_given(self, **wanted: object | None) -> Lines:
        """Return those whose columns have the values that somebody has set."""
        lines = self
        for name, value in wanted.items():
            lines = lines if value is None else lines.where(f"{name} = %s", value)
        return lines

    def read(self, order: str, limit: int) -> list[tuple[Any, str]]:
        """Return so many lines at most: each one's key, and its JSON."""
        where = f" WHERE {' AND '.join(self.conditions)}" if self.conditions else ""
        alias = self.table.rpartition(" ")[2]
        chosen = f"SELECT * FROM {self.table}{where} ORDER BY {order} LIMIT %s"  # noqa: S608  our own words, as above
        told = f"SELECT {self.columns} FROM ({chosen}) AS {alias} {self.joins} ORDER BY {order}"  # noqa: S608  our own words
        statement = f"SELECT line.{self.key}, row_to_json(line)::text FROM ({told}) AS line"  # noqa: S608  our own words
        return fetch(statement, (*self.values, limit))

    def page(self, order: str, limit: int, reading_on: str = "next_before") -> Response:
        """Return a page as an answer; `reading_on` is told the key behind which the next one begins."""
        found = self.read(order, limit + 1)
        key = found[limit - 1][0] if len(found) > limit else None
        items = ",".join(text for _, text in found[:limit])
        return Response(f'{{"items":[{items}],"{reading_on}":{orjson.dumps(key).decode()}}}', media_type=JSON)
