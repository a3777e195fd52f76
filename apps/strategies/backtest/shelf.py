"""The recorded data that admin and API may be asked to run on: one folder of files, and the lake."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from django.conf import settings

from apps.exchanges.market_data.history.lake import configured_lake
from apps.exchanges.market_data.history.series import Kind, interval_text
from apps.strategies.backtest.requests.names import LAKE, series_named
from apps.strategies.backtest.requests.request import BacktestRequest
from moondev.domain.errors import InvalidValue

_SUFFIXES = (".parquet", ".feather", ".csv")


class Holds(StrEnum):
    """What a file is good for in a backtest."""

    BARS = "bars"
    FUNDING = "funding"


def shelf_folder() -> Path:
    """Return the folder whose files may be named (MOONDEV_DATA_DIR)."""
    return Path(settings.MOONDEV_DATA_DIR)


def names_on_shelf(holds: Holds) -> list[str]:
    """Return what may be named: files relative to the folder, then series of the lake."""
    return [*files_in(shelf_folder(), holds), *_lake(holds)]


def files_in(folder: Path, holds: Holds) -> Iterator[str]:
    """Yield the files below a folder that hold this, relative to it, by name."""
    for path in sorted(folder.rglob("*")):
        if path.suffix in _SUFFIXES and path.is_file() and _held(path) is holds:
            yield path.relative_to(folder).as_posix()


def funding_beside(data: Sequence[str]) -> tuple[str, ...]:
    """Return the recorded funding of the instruments in `data`, as far as the shelf has it."""
    return funding_among(names_on_shelf(Holds.FUNDING), data)


def funding_among(names: Iterable[str], data: Sequence[str]) -> tuple[str, ...]:
    """Return those of `names` that are of the instruments in `data`, one each."""
    markets = {(name.venue, name.symbol) for name in map(series_named, data)}
    found = {(name.venue, name.symbol): name.text for name in map(series_named, names)}
    return tuple(text for market, text in found.items() if market in markets)


def require_on_shelf(request: BacktestRequest) -> None:
    """Raise InvalidValue for data outside the folder or that are not there: a request is no way to read any file."""
    root = shelf_folder().resolve()
    for field, names in (("data", request.data), ("funding", request.funding)):
        for name in names:
            if name.startswith(LAKE):
                series_named(name)
                continue
            path = (root / name).resolve()
            if not path.is_relative_to(root) or not path.is_file():
                raise InvalidValue(field, name, "the name of a file in MOONDEV_DATA_DIR, or lake:VENUE:SYMBOL:INTERVAL")


def _lake(holds: Holds) -> Iterator[str]:
    for key in configured_lake().series():
        if holds is Holds.BARS and key.kind is Kind.CANDLES and key.interval is not None:
            yield f"{LAKE}{key.venue}:{key.symbol}:{interval_text(key.interval)}"
        if holds is Holds.FUNDING and key.kind is Kind.FUNDING:
            yield f"{LAKE}{key.venue}:{key.symbol}"


def _held(path: Path) -> Holds | None:
    """Return what a file holds, by the names of its columns; None for anything else and for what cannot be read."""
    try:
        names = set(_columns(path))
    except (pa.ArrowInvalid, OSError, UnicodeDecodeError):
        return None
    if {"open", "high", "low", "close"} <= names:
        return Holds.BARS
    return Holds.FUNDING if names & {"rate", "fundingrate"} else None


def _columns(path: Path) -> list[str]:
    if path.suffix == ".parquet":
        return [name.lower() for name in pq.read_schema(path).names]
    if path.suffix == ".feather":
        with pa.memory_map(str(path)) as source:
            return [name.lower() for name in pa.ipc.open_file(source).schema.names]
    with path.open(encoding="utf-8") as lines:
        return [name.strip().strip('"').lower() for name in lines.readline().split(",")]
