"""The two formats of exports. Both are written row by row; neither holds more than a batch."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from apps.monitor.analytics.exports.columns import Export, Holds, Row, Wanted

# Rows that are held at once: 20 columns of them are some megabytes.
BATCH = 20_000
# What a spreadsheet takes for the beginning of a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
TYPES: Mapping[Holds, pa.DataType] = MappingProxyType(
    {
        Holds.TEXT: pa.string(),
        Holds.WHOLE: pa.int64(),
        Holds.AMOUNT: pa.decimal128(38, 12),
        Holds.NUMBER: pa.float64(),
        Holds.MOMENT: pa.timestamp("us", tz="UTC"),
    }
)


class Write(Protocol):
    """Writes rows into a file and returns how many there were."""

    def __call__(self, export: Export, wanted: Wanted, rows: Iterable[Row], path: Path) -> int:
        """Write."""


def write_csv(export: Export, wanted: Wanted, rows: Iterable[Row], path: Path) -> int:  # noqa: ARG001  a CSV holds no metadata
    """Write CSV: UTF-8, a header, amounts exactly, moments as ISO 8601 in UTC, nothing where nothing is known."""
    writers = [CELLS[column.holds] for column in export.columns]
    count = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([column.name for column in export.columns])
        for batch in _batches(rows):
            # By column: asking each of a million cells what it is would take longer than writing it.
            columns = [
                [cell(value) for value in column]
                for cell, column in zip(writers, zip(*batch, strict=True), strict=True)
            ]
            writer.writerows(zip(*columns, strict=True))
            count += len(batch)
    return count


def write_parquet(export: Export, wanted: Wanted, rows: Iterable[Row], path: Path) -> int:
    """Write Parquet: decimals of twelve places, moments in UTC, the schema's name and the period in its metadata."""
    schema = pa.schema([(column.name, TYPES[column.holds]) for column in export.columns], _metadata(export, wanted))
    count = 0
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for batch in _batches(rows):
            columns = zip(*batch, strict=True)
            arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
            count += len(batch)
    return count


FORMATS: Mapping[str, Write] = MappingProxyType({"csv": write_csv, "parquet": write_parquet})
MEDIA_TYPES: Mapping[str, str] = MappingProxyType(
    {"csv": "text/csv; charset=utf-8", "parquet": "application/vnd.apache.parquet"}
)


def inert(text: str) -> str:
    """Return text that no spreadsheet takes for a formula, whoever wrote it: with an apostrophe before it."""
    return f"'{text}" if text.startswith(FORMULA) else text


def _text(value: Any) -> str:  # noqa: ANN401  whatever the column holds
    return "" if value is None else inert(value)


def _amount(value: Any) -> str:  # noqa: ANN401  whatever the column holds
    """Return an amount exactly, without an exponent and without zeros that say nothing."""
    if not value:
        return "" if value is None else "0"
    text = str(value)
    if "E" in text:
        text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _moment(value: Any) -> str:  # noqa: ANN401  whatever the column holds
    return "" if value is None else value.astimezone(UTC).isoformat(timespec="microseconds")[:-6] + "Z"


def _number(value: Any) -> str:  # noqa: ANN401  whatever the column holds
    return "" if value is None else str(value)


CELLS: Mapping[Holds, Callable[[Any], str]] = MappingProxyType(
    {Holds.TEXT: _text, Holds.WHOLE: _number, Holds.AMOUNT: _amount, Holds.NUMBER: _number, Holds.MOMENT: _moment}
)


def _batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    found = iter(rows)
    while batch := list(islice(found, BATCH)):
        yield batch


def _metadata(export: Export, wanted: Wanted) -> dict[str, str]:
    return {
        "moondev.schema": export.schema_name,
        "moondev.from": wanted.period.start.astimezone(UTC).isoformat(),
        "moondev.to": wanted.period.end.astimezone(UTC).isoformat(),
        "moondev.method": wanted.method.value if "method" in export.takes else "",
    }
