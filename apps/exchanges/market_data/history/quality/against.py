"""Rules that need a second series of the same asset: what is off by hours or in other money looks fine alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from apps.exchanges.market_data.history.quality.dataset import Dataset, Shape
from apps.exchanges.market_data.history.quality.findings import Code, Finding, Severity
from moondev.domain.errors import InvalidValue

# No time zone is further from UTC.
MOST_SHIFT = timedelta(hours=14)
LEAST_CORRELATION = 0.9
# Venues differ by some basis points; currencies that should be equal by more when they are not.
MOST_SPREAD_BPS = 25.0
LEAST_COMMON_BARS = 100


def hold_against(data: Dataset, reference: Dataset) -> Iterator[Finding]:
    """Compare two series of candles of one asset. Raises InvalidValue when they cannot be compared."""
    step = data.step_ms
    if data.shape is not Shape.CANDLES or reference.shape is not Shape.CANDLES or step is None:
        raise InvalidValue("against", reference.name, "candles held against candles")
    if reference.step_ms != step:
        raise InvalidValue("against", f"{reference.name}, {reference.interval}", f"bars of {data.interval}")
    if data.quote and reference.quote and data.quote != reference.quote:
        yield data.finding(
            Code.QUOTE, Severity.WARNING, f"quoted in {data.quote}, {reference.name} in {reference.quote}", (),
            f"convert by {data.quote}/{reference.quote} before mixing them",
        )  # fmt: skip
    shift = _shift(data, reference, step)
    if shift is None:
        message = f"does not move with {reference.name}: not the same market, or one of them is wrong"
        yield data.finding(Code.UNLIKE, Severity.WARNING, message, (), "compare a stretch of both by eye")
        shift = 0
    elif shift:
        message = f"{abs(shift) * step / 3_600_000:g} h {'late' if shift > 0 else 'early'} against {reference.name}"
        repair = f"{'subtract' if shift > 0 else 'add'} {abs(shift) * step} ms"
        yield data.finding(
            Code.TIME_SHIFT, Severity.ERROR, f"{message}: written in another time zone?", range(len(data)), repair
        )
    yield from _spread(data, reference, step, shift)


def _spread(data: Dataset, reference: Dataset, step: int, shift: int) -> Iterator[Finding]:
    mine, theirs, rows = _common(data, reference, step, shift)
    spread = (mine / theirs - 1) * 1e4
    apart = rows[np.abs(spread) > MOST_SPREAD_BPS]
    if len(spread) and np.mean(np.abs(spread) > MOST_SPREAD_BPS) > 0.05:
        message = (
            f"{len(apart)} of {len(rows)} closes are more than {MOST_SPREAD_BPS:g} bp from {reference.name}, "
            f"from {spread.min():.0f} to {spread.max():.0f} bp"
        )
        yield data.finding(Code.QUOTE, Severity.WARNING, message, apart, "same currency? convert before mixing them")


def _shift(data: Dataset, reference: Dataset, step: int) -> int | None:
    """Return by how many bars the data is late (early: below 0); None when no shift makes the two move together."""
    most = round(MOST_SHIFT.total_seconds() * 1000) // step
    scores = {shift: _correlation(data, reference, step, shift) for shift in range(-most, most + 1)}
    best = max(scores, key=lambda shift: (scores[shift], -abs(shift)))
    return best if scores[best] >= LEAST_CORRELATION else None


def _correlation(data: Dataset, reference: Dataset, step: int, shift: int) -> float:
    mine, theirs, _ = _common(data, reference, step, shift)
    if len(mine) < LEAST_COMMON_BARS:
        return -1.0
    returns = np.diff(np.log(mine)), np.diff(np.log(theirs))
    if not all(values.std() > 0 for values in returns):
        return -1.0
    return float(np.corrcoef(*returns)[0, 1])


def _common(
    data: Dataset, reference: Dataset, step: int, shift: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.intp]]:
    """Return the closes of the bars that both have, and their rows in `data`; off-grid stamps count as floored."""
    _, mine, theirs = np.intersect1d(data.stamps // step - shift, reference.stamps // step, return_indices=True)
    return data.numbers("close")[mine], reference.numbers("close")[theirs], mine
