"""How long a saved strategy takes to run everywhere: file renamed into its place -> first tick of each process."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from itertools import count
from pathlib import Path

from django.conf import settings

from apps.strategies.authoring.new import strategy_new
from apps.strategies.authoring.source import source_of
from apps.strategies.models import StrategyRow, StrategySource, Tick, TickStatus
from apps.strategies.orchestrator.dispatch import dispatch
from apps.strategies.orchestrator.due import Due, Enabled
from apps.strategies.registry import library_names, preset
from apps.strategies.services import strategy_create, strategy_enable
from moondev.domain.clock import milliseconds, process_clock
from tests.bench.figures import Spread
from tests.bench.plan import WorldPlan
from tests.bench.results import Row, Section
from tests.bench.servers import BenchError, Servers
from tests.bench.world import RUN_FOLDER, World, world_of

NAME = "bench_averages"
STRATEGIES, PROCESSES = 8, 2
PLAN = WorldPlan(accounts=1, coins=STRATEGIES)
SAVES = 20
LONGEST_S = 60.0
_PAUSE_S = 0.05
_NUMBERS = count(1)


def run(servers: Servers, seconds: float) -> list[Section]:
    """Save one strategy over and over while eight rows of it tick in the platform's own tick workers."""
    saves = max(3, min(SAVES, int(seconds / 3)))
    with _folder() as folder, world_of(PLAN, servers) as world:
        author = _Author(folder)
        rows = _rows(world, author)
        _measured(world, author, rows, "warm-up")
        stopwatch = world.stopwatch()
        samples = [_measured(world, author, rows, f"save {number}") for number in range(saves)]
        usage = stopwatch.read()
    stored, first, everywhere = ([sample[place] for sample in samples] for place in range(3))
    note = f"in each of {PROCESSES} processes; the folder is looked at twice a second, the table once a second"
    lines = [
        Row("saved -> tried and stored", Spread.of(stored), usage),
        Row("saved -> first tick anywhere", Spread.of(first)),
        Row("saved -> first tick everywhere", Spread.of(everywhere), note=note),
    ]
    setting = f"a strategy of one's own saved {saves} times, {STRATEGIES} rows of it ticking; {PLAN.setting}"
    return [Section("authoring", setting, lines, usage)]


@contextmanager
def _folder() -> Iterator[Path]:
    """Give the platform a folder of strategies while the block runs."""
    folder = RUN_FOLDER / "strategies"
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.glob("*.py"):
        path.unlink()
    os.environ["MOONDEV_STRATEGIES_DIR"] = str(folder)
    settings.MOONDEV_STRATEGIES_DIR = folder
    try:
        yield folder
    finally:
        settings.MOONDEV_STRATEGIES_DIR = None
        del os.environ["MOONDEV_STRATEGIES_DIR"]


class _Author:
    """Somebody who writes a strategy and saves it again and again, each time a little different."""

    def __init__(self, folder: Path) -> None:
        strategy_new(NAME, folder, library_names())
        self._file = folder / f"{NAME}.py"
        # Decisions that take a while keep more than one process at work.
        text = self._file.read_text(encoding="utf-8").replace("import numpy as np", "import time\n\nimport numpy as np")
        self._text = text.replace(
            "        memory = dict(state)\n", "        memory = dict(state)\n        time.sleep(0.02)\n"
        )

    def save(self, mark: str) -> tuple[str, float]:
        """Save as an editor does; return the hash of the version and the moment, in milliseconds."""
        text = f"{self._text}\n# {mark}\n"
        part = self._file.with_suffix(".part")
        part.write_text(text, encoding="utf-8")
        saved = milliseconds(process_clock().now())
        part.rename(self._file)
        return source_of(self._file.name, {self._file.name: text}).code_hash, saved


def _rows(world: World, author: _Author) -> list[StrategyRow]:
    """Save the strategy for the first time, and create one row of it per coin."""
    author.save("first")
    world.wait("the dispatcher to find the strategy", StrategySource.objects.filter(current=True).exists)
    rows = []
    for symbol, instrument in sorted(world.instruments.items()):
        row = strategy_create(
            slug=f"own-{symbol.lower()}",
            kind=NAME,
            parameters=preset(NAME, "canonical").model_dump(mode="json"),
            account=world.accounts[0],
            instruments=[instrument],
            actor="bench",
            now=process_clock().now(),
            cadence_seconds=3_600,
            deadline_ms=60_000,
            capital=Decimal(1_000),
        )
        rows.append(strategy_enable(row.pk, actor="bench", now=process_clock().now()))
    return rows


def _measured(world: World, author: _Author, rows: Sequence[StrategyRow], mark: str) -> tuple[float, float, float]:
    """Save, tick until every process has run it; return the milliseconds until stored, first run, run everywhere."""
    code_hash, saved = author.save(mark)
    deadline = time.monotonic() + LONGEST_S
    while len(firsts := _first_ticks(code_hash)) < PROCESSES:
        _tick(rows)
        for sentence in world.supervisor.check():
            raise BenchError(sentence)
        if time.monotonic() > deadline:
            raise BenchError(f"waited {LONGEST_S:.0f} s for {PROCESSES} processes to run {mark}; {len(firsts)} did")
        time.sleep(_PAUSE_S)
    stored = milliseconds(StrategySource.objects.get(kind=NAME, code_hash=code_hash).seen_at)
    return stored - saved, min(firsts.values()) - saved, max(firsts.values()) - saved


def _first_ticks(code_hash: str) -> dict[str, float]:
    """Return when each process finished its first tick of a version, in milliseconds."""
    ticks = Tick.objects.filter(status=TickStatus.DONE, code_hash=code_hash).order_by("-finished_at")
    return {
        lease.partition("/")[0]: milliseconds(finished)
        for lease, finished in ticks.values_list("lease", "finished_at")
        if finished is not None
    }


def _tick(rows: Sequence[StrategyRow]) -> None:
    """Make every row due, each in a message of its own: who was slow travels alone."""
    StrategyRow.objects.filter(pk__in=[row.pk for row in rows]).update(overruns=1)
    clock, number = process_clock(), next(_NUMBERS)
    dispatch(
        [
            Due(
                Enabled(row.pk, row.trigger, row.cadence_seconds, row.book_move_bps, row.priority, row.deadline_ms, 1),
                "bench",
                f"{row.pk}-{number}",
                clock.now(),
            )
            for row in rows
        ],
        clock,
    )
