"""Backtest engines beside each other: ours and those of others, each in a process of its own, in turn.

Every contestant does the whole of one task (from closes to equity and trades) and has to make the same number of
trades. The first run is told apart: it holds what an engine compiles. Those that are not installed are named.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tests.bench.figures import Spread, percentile
from tests.bench.results import Row, Section
from tests.bench.servers import PROJECT, BenchError
from tests.oracle.questions import HERE, Engine, EngineAbsent

ROUNDS = 5
# One contest may take so long after its first runs; slow contestants then have fewer rounds, two at the least.
LONGEST_S = 30.0
FEWEST_ROUNDS = 2
MINUTE_MS = 60_000
OURS = "ours"


@dataclass(frozen=True, slots=True)
class Contestant:
    """A name in the table and the command that begins to wait for runs."""

    name: str
    engine: Engine | None = None
    kind: str = ""

    @property
    def command(self) -> list[str]:
        """Return the command but for columns and parameters. Raises EngineAbsent."""
        if self.engine is None:
            return [sys.executable, "-m", "tests.bench.engine_ours", self.kind]
        return [str(self.engine.python), str(HERE / "engines" / self.engine.script)]


@dataclass(frozen=True, slots=True)
class Contest:
    """One task: so many bars, so many pairs of lengths, and who does it."""

    name: str
    bars: int
    pairs: Sequence[tuple[int, int]]
    contestants: Sequence[Contestant]
    unit: str = "bars/s"

    @property
    def per_run(self) -> int:
        """Return how many of the unit one run does."""
        return self.bars if self.unit == "bars/s" else len(self.pairs)


@dataclass(slots=True)
class Laps:
    """What the runs of one contestant took. The first is kept apart."""

    ready_s: float
    first_s: float = 0.0
    wall_ms: list[float] = field(default_factory=list)
    cpu_s: float = 0.0
    peak_mb: float = 0.0
    trades: int = 0

    @property
    def median_s(self) -> float:
        """Return the median of the warm runs."""
        return percentile(sorted(self.wall_ms), 50) / 1000

    @property
    def cpu_ms(self) -> float:
        """Return the CPU milliseconds of one warm run."""
        return self.cpu_s * 1000 / len(self.wall_ms)


VECTORBT = Contestant("vectorbt", Engine("research", "timed_vectorbt.py"))
BACKTESTING = Contestant("backtesting.py", Engine("research", "timed_backtesting.py"))
NAUTILUS = Contestant("nautilus-trader", Engine("nautilus", "timed_nautilus.py"))
COLUMNS = Contestant(f"{OURS}, columns", kind="columns")
STRATEGY = Contestant(f"{OURS}, a strategy's columns", kind="vectorised")
REPLAY = Contestant(f"{OURS}, replay of the live tick", kind="replay")

MANY = tuple((fast, slow) for fast in range(10, 60, 5) for slow in range(80, 280, 20))
CONTESTS = (
    Contest("one cross over 1,000,000 bars", 1_000_000, ((20, 55),), (COLUMNS, STRATEGY, VECTORBT)),
    Contest("100 pairs of lengths over 100,000 bars", 100_000, MANY, (COLUMNS, VECTORBT), "backtests/s"),
    Contest("bar by bar, 50,000 bars, many orders", 50_000, ((20, 55),), (REPLAY, BACKTESTING, NAUTILUS)),
    Contest("bar by bar, 50,000 bars, few orders", 50_000, ((60, 900),), (REPLAY, BACKTESTING, NAUTILUS)),
)


def run(seconds: float = LONGEST_S) -> list[Section]:
    """Hold every contest; its warm runs last `seconds`, half a minute at most."""
    return [held(contest, min(seconds, LONGEST_S)) for contest in CONTESTS]


def made_columns(count: int) -> dict[str, np.ndarray]:
    """Return minutes of a market that wanders, in whole ticks of 0.01, cheap beside the money it is traded with."""
    random = np.random.default_rng(count)
    close = np.round(3_000 * np.exp(np.cumsum(random.normal(0, 3e-4, count))), 2)
    opened = np.concatenate((close[:1], close[:-1]))
    high, low = np.maximum(opened, close), np.minimum(opened, close)
    stamps = 1_672_531_200_000 + np.arange(count, dtype=np.int64) * MINUTE_MS
    columns = {"open": opened, "high": high, "low": low, "close": close, "volume": np.full(count, 100.0)}
    return {"opened_ms": stamps, **columns}


def held(contest: Contest, longest_s: float = LONGEST_S) -> Section:
    """Let the contestants of one contest run in turn. Raises BenchError when they do different things."""
    parameters = json.dumps({"pairs": [list(pair) for pair in contest.pairs], "fee_bps": 6.0, "initial": 1_000_000.0})
    laps: dict[str, Laps] = {}
    absent: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="engines-") as folder, ExitStack() as running:
        columns = Path(folder, "columns.npz")
        np.savez(columns, **made_columns(contest.bars))
        processes = {}
        for one in contest.contestants:
            try:
                command = [*one.command, str(columns), parameters]
            except EngineAbsent as reason:
                absent[one.name] = str(reason)
                continue
            began = time.monotonic()
            process = running.enter_context(process_of(command, Path(folder, one.name.replace(" ", "-"))))
            answer_of(one.name, process)
            processes[one.name], laps[one.name] = process, Laps(time.monotonic() - began)
        run_in_turn(processes, laps, longest_s)
    require_equal(contest.name, laps)
    return Section("engines", _sentence(contest), list(_rows(contest, laps, absent)))


def run_in_turn(
    processes: Mapping[str, subprocess.Popen[str]], laps: Mapping[str, Laps], longest_s: float = LONGEST_S
) -> None:
    """Let every process run once, then all of them in turn, and write down what each run took."""
    for name, process in processes.items():
        first = _lap(name, process)
        laps[name].first_s, laps[name].trades = first["wall_s"], first["trades"]
    deadline = time.monotonic() + longest_s
    for turn in range(ROUNDS):
        if turn >= FEWEST_ROUNDS and time.monotonic() > deadline:
            break
        for name, process in processes.items():
            lap = _lap(name, process)
            laps[name].wall_ms.append(lap["wall_s"] * 1000)
            laps[name].cpu_s += lap["cpu_s"]
            laps[name].peak_mb = lap["peak_mb"]


@contextmanager
def process_of(command: Sequence[str], errors: Path) -> Iterator[subprocess.Popen[str]]:
    """Start a contestant; it ends when its input does."""
    with (
        errors.open("w", encoding="utf-8") as written,
        subprocess.Popen(
            command, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=written, text=True
        ) as process,
    ):
        try:
            yield process
        finally:
            process.kill()


def _lap(name: str, process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdin is not None
    process.stdin.write("run\n")
    process.stdin.flush()
    return answer_of(name, process)


def answer_of(name: str, process: subprocess.Popen[str]) -> dict[str, Any]:
    """Return the next answer of a contestant. Raises BenchError when it has ended instead."""
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise BenchError(f"{name} ended with {process.wait()} instead of an answer")
    found: dict[str, Any] = json.loads(line)
    return found


def require_equal(name: str, laps: Mapping[str, Laps]) -> None:
    """Raise BenchError when the contestants did different things: rates would compare nothing.

    Where two means are equal but for rounding, an engine may see a crossing more: one trade, or one in a thousand.
    """
    counts = {name: one.trades for name, one in laps.items()}
    if max(counts.values()) - min(counts.values()) > max(1.0, max(counts.values()) * 0.001):
        raise BenchError(f"{name}: different numbers of trades: {counts}")


def _sentence(contest: Contest) -> str:
    return f"{contest.name}, from closes to equity and trades, made prices, in turn; medians of warm runs"


def _rows(contest: Contest, laps: Mapping[str, Laps], absent: Mapping[str, str]) -> Iterator[Row]:
    ours = laps[contest.contestants[0].name]
    for one in contest.contestants:
        if one.name in absent:
            yield Row(one.name, Spread.of([]), note=f"not measured here: {absent[one.name]}")
            continue
        lap = laps[one.name]
        rate = f"{contest.per_run / lap.median_s:,.{0 if contest.unit == 'bars/s' else 1}f} {contest.unit}"
        words = [
            rate, f"first run {lap.first_s:.2f} s", f"ready in {lap.ready_s:.1f} s", f"peak {lap.peak_mb:.0f} MB",
            f"{lap.trades} trades",
        ]  # fmt: skip
        if one.engine is not None:
            wall, cpu = lap.median_s / ours.median_s, lap.cpu_ms / ours.cpu_ms
            words.append(f"takes {wall:.2f} x as long as ours, {cpu:.2f} x the CPU")
        facts = {"rate": contest.per_run / lap.median_s, "first_s": lap.first_s, "peak_mb": lap.peak_mb}
        yield Row(one.name, Spread.of(lap.wall_ms), cpu_ms=lap.cpu_ms, note=", ".join(words), facts=facts)
