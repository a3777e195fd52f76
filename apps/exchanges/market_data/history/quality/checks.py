"""Which rules apply to what, and running them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType

from apps.exchanges.market_data.history.quality import candles, stamps, ticks
from apps.exchanges.market_data.history.quality.against import hold_against
from apps.exchanges.market_data.history.quality.dataset import Dataset, Shape
from apps.exchanges.market_data.history.quality.findings import Code, Finding

Rule = Callable[[Dataset], Iterator[Finding]]

RULES: Mapping[Shape, Sequence[Rule]] = MappingProxyType(
    {
        Shape.CANDLES: (
            stamps.unit, stamps.order, stamps.duplicates, stamps.off_grid, stamps.gaps, candles.bad_numbers,
            candles.ohlc, candles.no_volume, candles.stale, candles.spikes,
        ),
        Shape.TRADES: (stamps.unit, stamps.order, stamps.duplicates, ticks.bad_trades, ticks.sides),
        Shape.FUNDING: (stamps.unit, stamps.order, stamps.duplicates, stamps.off_grid, stamps.gaps, ticks.bad_rates),
        Shape.BOOK: (
            stamps.unit, stamps.order, stamps.duplicates, ticks.crossed_snapshots, ticks.ladders, ticks.bad_sizes,
            ticks.late_clock,
        ),
        Shape.MARKS: (stamps.unit, stamps.order, stamps.duplicates, ticks.bad_marks),
        Shape.EVENTS: (ticks.crossed_quotes, ticks.clock_skew),
    }
)  # fmt: skip


def check(data: Dataset, reference: Dataset | None = None) -> list[Finding]:
    """Return what the rules found, worst first. A `reference` is another series of the same asset.

    Stamps of a wrong unit make every other rule about time meaningless: then only that is said.
    Raises InvalidValue when the reference cannot be compared with the data.
    """
    if not len(data):
        return []
    findings = []
    for rule in RULES[data.shape]:
        found = list(rule(data))
        findings += found
        if any(finding.code is Code.UNIT for finding in found):
            return findings
    if reference is not None:
        findings += hold_against(data, reference)
    return sorted(findings, key=lambda finding: -finding.severity)
