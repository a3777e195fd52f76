"""Rules about time that hold for every kind of rows."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from apps.exchanges.market_data.history.quality.dataset import Dataset, Shape, factor_to_milliseconds
from apps.exchanges.market_data.history.quality.findings import Code, Finding, Severity
from moondev.domain.clock import from_milliseconds

# Funding is stamped when it is booked, up to some seconds after the hour.
FUNDING_LATE_MS = 60_000
_NAMES = {1_000: "seconds", 1e-3: "microseconds", 1e-6: "nanoseconds"}


def unit(data: Dataset) -> Iterator[Finding]:
    """Stamps are milliseconds of this century."""
    middle = float(np.median(data.stamps))
    factor = factor_to_milliseconds(middle)
    if factor == 1:
        return
    what = _NAMES.get(factor, "no known unit") if factor else "no known unit"
    repair = f"multiply ts by {factor:g}" if factor else "find out what the stamps are"
    yield data.finding(Code.UNIT, Severity.ERROR, f"ts looks like {what}, not milliseconds", range(len(data)), repair)


def order(data: Dataset) -> Iterator[Finding]:
    """Rows are oldest first."""
    rows = np.flatnonzero(np.diff(data.stamps) < 0) + 1
    if len(rows):
        yield data.finding(
            Code.ORDER, Severity.ERROR, f"{len(rows)} rows are older than the one before", rows, "sort by ts"
        )


def duplicates(data: Dataset) -> Iterator[Finding]:
    """A bar, a payment or a trade is told once."""
    if data.shape is Shape.TRADES:
        ids = data.table.column("trade_id").to_numpy(zero_copy_only=False).astype(str)
        _, first, inverse = np.unique(ids, return_index=True, return_inverse=True)
    else:
        _, first, inverse = np.unique(data.stamps, return_index=True, return_inverse=True)
    rows = np.flatnonzero(first[inverse] != np.arange(len(data)))
    if len(rows):
        message = f"{len(rows)} rows repeat an earlier one's {'trade_id' if data.shape is Shape.TRADES else 'ts'}"
        yield data.finding(Code.DUPLICATE, Severity.ERROR, message, rows, "keep the last of each")


def off_grid(data: Dataset) -> Iterator[Finding]:
    """Bars open on multiples of their interval (of a day, when they are longer)."""
    if data.step_ms is None:
        return
    step = min(data.step_ms, 86_400_000)
    offsets = data.stamps % step
    late = FUNDING_LATE_MS if data.shape is Shape.FUNDING else 0
    rows = np.flatnonzero((offsets > late) & (offsets < step - late) if late else offsets != 0)
    if not len(rows):
        return
    values, counts = np.unique(offsets[rows], return_counts=True)
    common = int(values[np.argmax(counts)])
    if counts.max() > 0.9 * len(data):
        message = f"{len(rows)} of {len(data)} stamps lie {common / 1000:g} s after the {step // 1000} s grid"
        repair = f"floor ts to {step} ms, then hold the result against another series (--against): hours may be off too"
    else:
        message = f"{len(rows)} of {len(data)} stamps are not multiples of {step} ms"
        repair = "drop these rows and download them again"
    yield data.finding(Code.OFF_GRID, Severity.ERROR, message, rows, repair)


def gaps(data: Dataset) -> Iterator[Finding]:
    """No bar, no payment is missing between the first and the last."""
    if data.step_ms is None or len(data) < 2:
        return
    stamps = np.unique(data.stamps)
    steps = np.round(np.diff(stamps) / data.step_ms).astype(np.int64)
    holes = np.flatnonzero(steps > 1)
    if not len(holes):
        return
    missing, longest = int((steps[holes] - 1).sum()), int(steps[holes].max() - 1)
    before = np.searchsorted(stamps, stamps[holes])
    rows = [int(np.flatnonzero(data.stamps == stamps[place])[0]) for place in before[:5]]
    first = from_milliseconds(int(stamps[holes[0]]) + data.step_ms)
    finding = data.finding(
        Code.GAP, Severity.WARNING,
        f"{missing} missing in {len(holes)} gaps, the longest {longest}, the first from {first:%Y-%m-%d %H:%M}",
        rows, f"data download ... --from {first:%Y-%m-%dT%H:%M}",
    )  # fmt: skip
    yield Finding(
        finding.code, finding.severity, finding.message, missing, finding.rows, finding.evidence, finding.repair
    )
