"""How fast the replay goes through years of bars: strategies asked when they say so, and asked at every close.

Each case runs in a process of its own, twice; the second run counts. CPU seconds tell more than those of the wall on
a machine that others use.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from decimal import Decimal

import numpy as np

from tests.bench.figures import Spread
from tests.bench.results import Row, Section
from tests.bench.servers import PROJECT, BenchError

YEAR = 105_120
STEP = timedelta(minutes=5)
RUNS = 3
START_MS = 1_672_531_200_000


@dataclass(frozen=True, slots=True)
class Case:
    """One strategy over so many bars of five minutes; not `skips`: asked at every close of its bars."""

    name: str
    kind: str
    preset: str
    bars: int
    skips: bool = True


CASES = (
    Case("turtle, canonical (1 d), two years", "turtle_trend", "canonical", 2 * YEAR),
    Case("Nadaraya-Watson, canonical (1 h), a year", "nadaraya_watson", "canonical", YEAR),
    Case("the same, asked at every close", "nadaraya_watson", "canonical", YEAR, skips=False),
    Case("breakout of consolidations (5 min), a quarter", "consolidation_pop", "breakout", YEAR // 4),
    Case("the same, asked at every close", "consolidation_pop", "breakout", YEAR // 4, skips=False),
)


def run() -> list[Section]:
    """Run every case; return bars a second with and without skipping, and memory."""
    setting = f"made bars of 5 minutes through the live tick, in one process; medians of {RUNS} runs after one"
    return [Section("replay", setting, [_row(case) for case in CASES])]


def _row(case: Case) -> Row:
    found = subprocess.run(
        [sys.executable, "-m", "tests.bench.replay", json.dumps(asdict(case))],
        cwd=PROJECT, capture_output=True, text=True, check=False, timeout=1_800,
    )  # fmt: skip
    if found.returncode:
        raise BenchError(f"{case.name}: {found.stderr.strip()[-500:]}")
    told = json.loads(found.stdout)
    wall, cpu = Spread.of(told["wall_ms"]), sorted(told["cpu_ms"])[len(told["cpu_ms"]) // 2]
    words = (
        f"{case.bars / (wall.median or 1) * 1000:,.0f} bars/s ({case.bars / cpu * 1000:,.0f} a second of CPU)",
        f"{told['ticks']:,} ticks, {told['trades']:,} trades",
        f"{cpu / max(told['ticks'], 1) * 1000:,.0f} us CPU a tick",
        f"{told['peak_mb']:.0f} MB at most, {told['bars_mb']:.0f} MB of them before the run",
    )
    return Row(case.name, wall, cpu_ms=cpu, note=", ".join(words), facts=told)


def made_bars(count: int) -> dict[str, np.ndarray]:
    """Return columns of a market that wanders as one of the larger coins does."""
    random = np.random.default_rng(count)
    close = 30_000 * np.exp(np.cumsum(random.standard_t(4, count) * 1.1e-3))
    opened = np.concatenate((close[:1], close[:-1]))
    reach = np.abs(random.normal(0, 6e-4, (2, count)))
    high, low = np.maximum(opened, close) * (1 + reach[0]), np.minimum(opened, close) * (1 - reach[1])
    return {"open": opened, "high": high, "low": low, "close": close, "volume": random.uniform(10, 500, count)}


def measured(case: Case) -> dict[str, object]:
    """Return what the runs of one case took."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "moondev.settings.test"
    import django

    django.setup()
    go, ticks = _prepared(case)
    before = _peak_mb()
    wall, cpu, trades = [], [], 0
    for turn in range(RUNS + 1):
        ticks.clear()
        began, worked = time.perf_counter(), time.process_time()
        trades = go()
        if turn:
            wall.append((time.perf_counter() - began) * 1000)
            cpu.append((time.process_time() - worked) * 1000)
    return {
        "wall_ms": wall, "cpu_ms": cpu, "ticks": len(ticks), "trades": trades, "bars_mb": before,
        "peak_mb": _peak_mb(),
    }  # fmt: skip


def _prepared(case: Case) -> tuple[Callable[[], int], list[None]]:
    from apps.strategies.backtest.costs import Costs
    from apps.strategies.backtest.data import RecordedBars
    from apps.strategies.backtest.replay import replay
    from apps.strategies.backtest.replaying.ticker import Ticker
    from apps.strategies.backtest.results import DataSource
    from apps.strategies.backtest.setting import Market, Setting
    from apps.strategies.orchestrator.loader import load
    from apps.strategies.registry import strategy_class
    from moondev.domain.instruments import Instrument, PriceGrid
    from moondev.domain.market_data import BarSeries
    from moondev.domain.values import Money, Quantity

    idea = strategy_class(case.kind)
    if not case.skips:
        for name in ("signals", "wakes"):
            setattr(idea, name, lambda *_: None)
    stamps = START_MS + np.arange(case.bars, dtype=np.int64) * int(STEP.total_seconds() * 1000)
    bars = BarSeries(STEP, stamps, *made_bars(case.bars).values())
    lot, least = Quantity(Decimal("0.001")), Money(Decimal(10), "USDC")
    instrument = Instrument("made", "BTC", "BTC", "USDC", PriceGrid(Decimal("0.1")), lot, least, 40)
    market = Market(instrument, RecordedBars(bars, DataSource("made", ""), "USDC"), Costs(1.5, 4.5, spread_bps=0.5))
    setting, loaded = Setting((market,)), load(case.kind, idea.presets[case.preset].model_dump(mode="json"))
    ticks: list[None] = []
    whole = Ticker.tick

    def counted(self: Ticker) -> None:
        ticks.append(None)
        whole(self)

    Ticker.tick = counted  # type: ignore[method-assign]  # this process measures and does nothing else
    return lambda: len(replay(loaded, setting).trades), ticks


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(arguments: Sequence[str]) -> None:
    """Measure the case that the first argument describes, and print it."""
    sys.stdout.write(json.dumps(measured(Case(**json.loads(arguments[0])))))


if __name__ == "__main__":
    main(sys.argv[1:])
