"""Rules about trades, funding and books."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from apps.exchanges.market_data.history.quality.dataset import Dataset
from apps.exchanges.market_data.history.quality.findings import Code, Finding, Severity

QUOTE_ROW, BID, ASK = 1, 1, -1
# A median age below this means that the recorder's clock was behind the venue's, not that light was fast.
LEAST_AGE_MS = 0.0


def bad_trades(data: Dataset) -> Iterator[Finding]:
    """Price and size are finite and above zero."""
    values = np.stack([data.numbers("price"), data.numbers("size")])
    rows = np.flatnonzero(~(np.isfinite(values) & (values > 0)).all(axis=0))
    if len(rows):
        message = f"{len(rows)} trades have a price or size that is not above 0"
        yield data.finding(Code.NUMBER, Severity.ERROR, message, rows, "drop these rows")


def sides(data: Dataset) -> Iterator[Finding]:
    """Every trade was bought or sold."""
    rows = np.flatnonzero(np.abs(data.numbers("side")) != 1)
    if len(rows):
        message = f"{len(rows)} trades are neither a buy nor a sell"
        yield data.finding(Code.SIDE, Severity.ERROR, message, rows, "drop these rows or fetch the aggressor's side")


def bad_rates(data: Dataset) -> Iterator[Finding]:
    """A rate is a fraction of the notional: far below one."""
    rows = np.flatnonzero(~(np.abs(data.numbers("rate")) < 0.1))
    if len(rows):
        message = f"{len(rows)} rates are 10 % of the notional or more"
        yield data.finding(Code.NUMBER, Severity.ERROR, message, rows, "were they percent or basis points? divide")


def crossed_snapshots(data: Dataset) -> Iterator[Finding]:
    """The best bid is below the best ask."""
    rows = np.flatnonzero(data.numbers("b1") >= data.numbers("a1"))
    if len(rows):
        message = f"{len(rows)} books have a bid at or above the ask"
        yield data.finding(Code.CROSSED, Severity.ERROR, message, rows, "drop these rows: nobody could trade there")


def ladders(data: Dataset) -> Iterator[Finding]:
    """Bids fall and asks rise from the best on."""
    depth = _depth(data)
    bids, asks = (np.stack([data.numbers(f"{side}{level}") for level in range(1, depth + 1)]) for side in "ba")
    broken = (np.diff(bids, axis=0) >= 0).any(axis=0) | (np.diff(asks, axis=0) <= 0).any(axis=0)
    rows = np.flatnonzero(broken)
    if len(rows):
        message = f"{len(rows)} books are not sorted from best to worst"
        yield data.finding(Code.LADDER, Severity.ERROR, message, rows, "drop these rows, or sort their levels")


def bad_sizes(data: Dataset) -> Iterator[Finding]:
    """No level of a book has a size below zero."""
    sizes = np.stack([data.numbers(f"{side}{level}") for level in range(1, _depth(data) + 1) for side in ("bv", "av")])
    rows = np.flatnonzero((sizes < 0).any(axis=0))
    if len(rows):
        message = f"{len(rows)} books have a level with a size below 0"
        yield data.finding(Code.NUMBER, Severity.ERROR, message, rows, "drop these rows")


def late_clock(data: Dataset) -> Iterator[Finding]:
    """No book is received before the venue stamped it; told only where both times are kept."""
    if "received_ms" in data.table.column_names:
        yield from _skew(data, np.arange(len(data)), data.numbers("received_ms") - data.stamps, "received_ms")


def bad_marks(data: Dataset) -> Iterator[Finding]:
    """A mark is finite and above zero."""
    mark = data.numbers("mark")
    rows = np.flatnonzero(~(np.isfinite(mark) & (mark > 0)))
    if len(rows):
        message = f"{len(rows)} marks are not above 0"
        yield data.finding(Code.NUMBER, Severity.ERROR, message, rows, "drop these rows")


def crossed_quotes(data: Dataset) -> Iterator[Finding]:
    """A best bid and the best ask told with it do not cross (two rows of one `seq`)."""
    quotes = np.flatnonzero(data.numbers("type") == QUOTE_ROW)
    seq, side, price = (data.numbers(name)[quotes] for name in ("seq", "side", "price"))
    pairs = np.flatnonzero((seq[1:] == seq[:-1]) & (side[1:] == ASK) & (side[:-1] == BID))
    rows = quotes[pairs[price[pairs] >= price[pairs + 1]]]
    if len(rows):
        message = f"{len(rows)} best bids are at or above the best ask told with them"
        yield data.finding(Code.CROSSED, Severity.ERROR, message, rows, "drop these quotes")


def clock_skew(data: Dataset) -> Iterator[Finding]:
    """Nothing is received before the venue sent it."""
    sent = data.numbers("exch_ts_ms")
    rows = np.flatnonzero(sent > 0)
    if not len(rows):
        return
    yield from _skew(data, rows, data.numbers("local_ts_ns")[rows] / 1e6 - sent[rows], "local_ts_ns")


def _skew(data: Dataset, rows: NDArray[np.intp], age_ms: NDArray[np.float64], by: str) -> Iterator[Finding]:
    median = float(np.median(age_ms))
    if median < LEAST_AGE_MS:
        message = f"received {-median:.0f} ms before it was sent (median): the recorder's clock was behind"
        repair = f"order by {by} and add {-median:.0f} ms or more to it before measuring any latency"
        yield data.finding(Code.CLOCK_SKEW, Severity.WARNING, message, rows[age_ms < 0], repair)


def _depth(data: Dataset) -> int:
    return sum(name[0] == "b" and name[1:].isdigit() for name in data.table.column_names)
