"""Rules about the numbers of candles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from apps.exchanges.market_data.history.quality.dataset import BAR_COLUMNS, Dataset
from apps.exchanges.market_data.history.quality.findings import Code, Finding, Severity

# More breaches than this are no odd ticks: the columns are not what their names say.
MISLABELLED_SHARE = 0.5
# Quiet minutes happen on every venue; a share or a stretch like this means that the price was not one to trade at.
STALE_SHARE = 0.01
STALE_RUN = 120
SPIKE_RETURN = 0.5

Columns = Mapping[str, NDArray[np.float64]]


def bad_numbers(data: Dataset) -> Iterator[Finding]:
    """Prices are finite and above zero, volumes zero or more."""
    prices = np.stack([data.numbers(name) for name in BAR_COLUMNS])
    volume = data.numbers("volume")
    broken = ~(np.isfinite(prices) & (prices > 0)).all(axis=0) | (volume < 0) | np.isinf(volume)
    rows = np.flatnonzero(broken)
    if len(rows):
        message = f"{len(rows)} bars have a price that is not above 0 or a volume below 0"
        yield data.finding(Code.NUMBER, Severity.ERROR, message, rows, "drop these rows and download them again")


def ohlc(data: Dataset) -> Iterator[Finding]:
    """The high is the highest and the low the lowest; when most bars break that, say which column is which."""
    columns = {name: data.numbers(name) for name in BAR_COLUMNS}
    rows = np.flatnonzero(~_holds(columns))
    if not len(rows):
        return
    if len(rows) > MISLABELLED_SHARE * len(data):
        names = _true_names(data, columns)
        if names is not None:
            said = ", ".join(f"{wrong} is the {right}" for wrong, right in names.items() if wrong != right)
            repair = "rename: " + ", ".join(f"{wrong} -> {right}" for wrong, right in names.items() if wrong != right)
            yield data.finding(Code.MISLABELLED, Severity.ERROR, f"wrong column names: {said}", rows, repair)
            return
    message = f"{len(rows)} bars break high >= open, close >= low"
    yield data.finding(Code.OHLC, Severity.ERROR, message, rows, "drop these rows and download them again")


def no_volume(data: Dataset) -> Iterator[Finding]:
    """The volume is known."""
    rows = np.flatnonzero(np.isnan(data.numbers("volume")))
    if len(rows):
        message = f"{len(rows)} of {len(data)} bars have no volume"
        yield data.finding(Code.NO_VOLUME, Severity.INFO, message, rows, "use no rule that needs volume on this series")


def stale(data: Dataset) -> Iterator[Finding]:
    """Closes come from trades, not from a price carried on."""
    quiet = (data.numbers("volume") == 0) & (np.diff(data.numbers("close"), prepend=np.nan) == 0)
    rows = np.flatnonzero(quiet)
    if not len(rows):
        return
    longest = _longest_run(quiet)
    if len(rows) <= STALE_SHARE * len(data) and longest < STALE_RUN:
        return
    message = f"{len(rows)} of {len(data)} bars ({len(rows) / len(data):.0%}) repeat the last close without a trade, "
    yield data.finding(
        Code.STALE, Severity.WARNING, f"{message}{longest} in a row at most", rows,
        "let no order fill in bars without volume, or use a longer interval",
    )  # fmt: skip


def spikes(data: Dataset) -> Iterator[Finding]:
    """No price leaps by half and is back in the next bar."""
    close = data.numbers("close")
    with np.errstate(divide="ignore", invalid="ignore"):
        moves = np.diff(np.log(close))
    away = np.abs(moves[:-1]) > SPIKE_RETURN
    back = np.abs(moves[:-1] + moves[1:]) < SPIKE_RETURN / 5
    rows = np.flatnonzero(away & back) + 1
    if len(rows):
        message = f"{len(rows)} closes leap by more than {SPIKE_RETURN:.0%} and come back in the next bar"
        yield data.finding(Code.SPIKE, Severity.WARNING, message, rows, "look at another venue before believing them")


def _holds(columns: Columns) -> NDArray[np.bool_]:
    top = np.maximum(columns["open"], columns["close"])
    bottom = np.minimum(columns["open"], columns["close"])
    return np.asarray((columns["high"] >= top) & (columns["low"] <= bottom))


def _true_names(data: Dataset, columns: Columns) -> dict[str, str] | None:
    """Return which column is which, when one order of the names fits nearly every bar.

    High and low show by themselves; open and close by this: a market that never closes opens where it closed.
    """
    rising = np.argsort(data.stamps, kind="stable")
    best: tuple[float, dict[str, str]] | None = None
    for names in permutations(BAR_COLUMNS):
        renamed = {right: columns[wrong][rising] for wrong, right in zip(BAR_COLUMNS, names, strict=True)}
        if _holds(renamed).mean() < 1 - MISLABELLED_SHARE / 10:
            continue
        seam = float(np.median(np.abs(renamed["open"][1:] / renamed["close"][:-1] - 1)))
        if best is None or seam < best[0]:
            best = seam, dict(zip(BAR_COLUMNS, names, strict=True))
    return None if best is None else best[1]


def _longest_run(mask: NDArray[np.bool_]) -> int:
    edges = np.flatnonzero(np.diff(np.concatenate(([False], mask, [False])).astype(np.int8)))
    return int((edges[1::2] - edges[::2]).max(initial=0))
