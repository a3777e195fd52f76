"""How fast recorded books are replayed: the same quoter here and in hftbacktest, and whole strategies here.

The record is the one beside the project, else a made-up one. Every contestant has it in its own form before the first
run: what that takes is in "starts in".
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.bench.engines import Laps, answer_of, process_of, require_equal, run_in_turn
from tests.bench.figures import Spread, ratio
from tests.bench.results import Row, Section
from tests.oracle.questions import HERE, Engine, EngineAbsent
from tests.oracle.quoters import CASES, LOT, TICK, recorded_events, walked_events
from tests.oracle.series import RecordingAbsent

SECOND = 1_000_000_000
LEVELS_AND_TRADES = (2, 3, 4)
WALK_MESSAGES = 60_000


@dataclass(frozen=True, slots=True)
class Contestant:
    """A name in the table, and who is asked: another engine, or a kind of ours."""

    name: str
    engine: Engine | None = None
    kind: str = "quoter"

    @property
    def command(self) -> list[str]:
        """Return the command but for columns and parameters. Raises EngineAbsent."""
        if self.engine is None:
            return [sys.executable, "-m", "tests.bench.quotes_ours", self.kind]
        return [str(self.engine.python), str(HERE / "engines" / self.engine.script)]


@dataclass(frozen=True, slots=True)
class Contest:
    """One task, every `step_ns`; contestants that do the same have to have as many fills.

    `offset` is how many ticks from the touch the quotes lie; None: as in the first question of the oracle.
    """

    name: str
    step_ns: int
    contestants: Sequence[Contestant]
    offset: int | None = None


OURS = Contestant("ours")
# Its fills know no queue, so it is asked to keep the book and nothing else.
NAUTILUS = Contestant("nautilus-trader, without any order", Engine("nautilus", "timed_nautilus_quotes.py"))
# So far from the touch that nothing trades in a few minutes.
OUT_OF_REACH = 50_000
HFTBACKTEST = Contestant("hftbacktest", Engine("hftbacktest", "timed_hftbacktest.py"))
CONTESTS = (
    Contest("a quoter at the touch that requotes once a second", SECOND, (OURS, HFTBACKTEST)),
    Contest("the same, once in 30 seconds", 30 * SECOND, (OURS, HFTBACKTEST)),
    Contest(
        "the record alone: quotes out of reach, once in 30 seconds",
        30 * SECOND,
        (OURS, HFTBACKTEST, NAUTILUS),
        OUT_OF_REACH,
    ),
    Contest(
        "the market maker through the live tick, each second", SECOND, (Contestant("ours, live tick", kind="maker"),)
    ),
)


def run() -> list[Section]:
    """Hold every contest."""
    try:
        events, what = recorded_events(), "a recorded book of BTCUSDT"
    except RecordingAbsent:
        events, what = walked_events(WALK_MESSAGES), "a made-up book"
    rows = int(np.isin(events["type"], LEVELS_AND_TRADES).sum())
    return [_held(contest, events, f"{what}, {rows:,} events") for contest in CONTESTS]


def _held(contest: Contest, events: Mapping[str, np.ndarray], what: str) -> Section:
    case = CASES[0] if contest.offset is None else {**CASES[0], "offset": contest.offset}
    parameters = json.dumps({"tick": TICK, "lot": LOT, "case": case, "step_ns": contest.step_ns})
    laps: dict[str, Laps] = {}
    absent: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="quotes-") as folder, ExitStack() as running:
        columns = Path(folder, "columns.npz")
        np.savez(columns, **events)
        processes = {}
        for number, one in enumerate(contest.contestants):
            try:
                command = [*one.command, str(columns), parameters]
            except EngineAbsent as reason:
                absent[one.name] = str(reason)
                continue
            began = time.monotonic()
            process = running.enter_context(process_of(command, Path(folder, f"errors-{number}")))
            answer_of(one.name, process)
            processes[one.name], laps[one.name] = process, Laps(time.monotonic() - began)
        run_in_turn(processes, laps)
    require_equal(contest.name, laps)
    count = int(np.isin(events["type"], LEVELS_AND_TRADES).sum())
    sentence = f"{contest.name}; {what}, in turn; medians of warm runs"
    return Section("quotes", sentence, list(_rows(contest, laps, absent, count)))


def _rows(contest: Contest, laps: Mapping[str, Laps], absent: Mapping[str, str], events: int) -> Iterator[Row]:
    ours = laps[contest.contestants[0].name].median_s
    for one in contest.contestants:
        if one.name in absent:
            yield Row(one.name, Spread.of([]), note=absent[one.name])
            continue
        lap = laps[one.name]
        median, beside = lap.median_s, ratio(lap.median_s, ours) if one.engine is not None else None
        cpu_s = lap.cpu_s / len(lap.wall_ms)
        words = [
            f"{events / median:,.0f} events/s ({events / cpu_s:,.0f} a second of CPU)" if median and cpu_s else "",
            f"first run {lap.first_s:.2f} s",
            f"starts in {lap.ready_s:.1f} s",
            f"peak {lap.peak_mb:.0f} MB",
            f"{lap.trades} fills",
            f"takes {beside:.2f} x as long as ours" if beside else "",
        ]
        yield Row(one.name, Spread.of(lap.wall_ms), cpu_ms=cpu_s * 1000, note=", ".join(word for word in words if word))
