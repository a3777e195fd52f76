"""From a recorded file to a tape, checked before anything is computed from it.

Two kinds of files are understood, told by their columns: book events (a snapshot, every change of depth and every
trade, each with the venue's stamp and the recorder's) and book snapshots (some levels a side at regular times).
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from apps.exchanges.market_data.history.quality.checks import check
from apps.exchanges.market_data.history.quality.dataset import Dataset, Shape
from apps.exchanges.market_data.history.quality.files import quote_of, read_dataset
from apps.exchanges.market_data.history.quality.findings import Severity
from apps.strategies.backtest.quoting.events import events_tape
from apps.strategies.backtest.quoting.snapshots import snapshots_tape
from apps.strategies.backtest.quoting.soundness import require_uncrossed
from apps.strategies.backtest.quoting.tape import Tape
from apps.strategies.backtest.results import DataSource
from moondev.domain.errors import InvalidValue
from moondev.domain.instruments import Instrument

_READERS = {Shape.EVENTS: events_tape, Shape.BOOK: snapshots_tape}


def tape_of_file(path: Path, instrument: Instrument) -> Tape:
    """Return the tape of a recorded file, on the grid of `instrument`.

    Raises InvalidValue, naming what and where, for a file that cannot be read, lacks columns, breaks its chain of
    sequence numbers, crosses, is quoted in another currency, or has prices and sizes off the instrument's grid.
    """
    dataset = read_dataset(path)
    reader = _READERS.get(dataset.shape)
    if reader is None:
        raise InvalidValue(path.name, dataset.shape.value, "book events or book snapshots")
    _require_quote(path, instrument)
    found = check(dataset)
    errors = [finding for finding in found if finding.severity is Severity.ERROR]
    if errors:
        told = "; ".join(f"{error.code}: {error.message} (first at {error.evidence[0]})" for error in errors)
        raise InvalidValue(dataset.name, told, "a record without errors; " + "; ".join(one.repair for one in errors))
    warnings = tuple(f"{finding.code}: {finding.message}" for finding in found)
    tape = reader(dataset, instrument, DataSource(_description(dataset), _hash(dataset), warnings))
    require_uncrossed(tape)
    return tape


def _require_quote(path: Path, instrument: Instrument) -> None:
    quote = quote_of(path.stem)
    if quote and quote != instrument.quote:
        raise InvalidValue("quote currency", f"{path.name} in {quote}", f"{instrument.quote}, as {instrument.key} is")


def _description(dataset: Dataset) -> str:
    return f"{dataset.name}, {len(dataset):,} rows of {dataset.shape.value}"


def _hash(dataset: Dataset) -> str:
    digest = hashlib.sha256()
    for name in dataset.table.column_names:
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(dataset.table.column(name).to_numpy()).tobytes())
    return digest.hexdigest()
