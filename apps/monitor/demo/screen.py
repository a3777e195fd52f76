"""Show the snapshot: one live screen on a terminal, a plain line elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Protocol, Self, TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from apps.exchanges.health.states import VenueState
from apps.monitor.demo.snapshot import Snapshot

LINE_EVERY_S = 5.0
_POSITIONS_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Frame:
    """Everything one look at the platform shows. ``queues`` None: the broker does not answer.

    ``venues`` are the states of venues by name.
    """

    elapsed_s: float
    note: str
    snapshot: Snapshot
    queues: Mapping[str, int] | None
    steal_percent: float
    restarts: int
    venues: Mapping[str, str] = field(default_factory=dict)


class Screen(Protocol):
    """Something frames are shown on; a context manager, because a terminal has to be given back."""

    def __enter__(self) -> Self:
        """Take the terminal."""
        ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Give it back."""
        ...

    def show(self, frame: Frame) -> None:
        """Show the newest frame."""
        ...

    def say(self, sentence: str) -> None:
        """Leave a sentence that stays."""
        ...


def screen_for(output: TextIO) -> Screen:
    """Return the live screen when ``output`` is a terminal, else the plain one."""
    return LiveScreen(Console(file=output)) if output.isatty() else PlainScreen(output)


class PlainScreen:
    """Writes a line every five seconds: for logs and pipes."""

    def __init__(self, output: TextIO, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._output = output
        self._monotonic = monotonic
        self._next_line_at = 0.0

    def __enter__(self) -> Self:
        """Return itself: there is nothing to take."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Do nothing: there is nothing to give back."""

    def show(self, frame: Frame) -> None:
        """Write the frame as a line, unless one was written a moment ago."""
        if self._monotonic() < self._next_line_at:
            return
        self._next_line_at = self._monotonic() + LINE_EVERY_S
        self.say(line_of(frame))

    def say(self, sentence: str) -> None:
        """Write a sentence."""
        print(sentence, file=self._output, flush=True)


class LiveScreen:
    """Redraws one screen in place."""

    def __init__(self, console: Console) -> None:
        self._live = Live(console=console, auto_refresh=False, transient=False)

    def __enter__(self) -> Self:
        """Start drawing."""
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Leave the last frame where it is."""
        self._live.stop()

    def show(self, frame: Frame) -> None:
        """Draw the frame over the last one."""
        self._live.update(panel_of(frame), refresh=True)

    def say(self, sentence: str) -> None:
        """Write a sentence above the live part."""
        self._live.console.print(sentence, highlight=False, markup=False)


def line_of(frame: Frame) -> str:
    """Return the frame as one line."""
    s = frame.snapshot
    queues = "?" if frame.queues is None else sum(frame.queues.values())
    return (
        f"{frame.elapsed_s:6.0f}s {frame.note}  ticks {s.ticks}  orders {s.orders} (open {s.open_orders}, refused "
        f"{s.refused})  fills {s.fills}  positions {len(s.positions)}  pnl {s.profit:+.2f}  queued {queues}  "
        f"steal {frame.steal_percent:.0f}%  restarts {frame.restarts}{_unwell(frame.venues)}"
    )


def _unwell(venues: Mapping[str, str]) -> str:
    """Return a word about every venue that is not well."""
    return "".join(f"  {name} {state}" for name, state in venues.items() if state != VenueState.OK)


def panel_of(frame: Frame) -> Panel:
    """Return the frame as a panel with totals, money, queues and positions."""
    s = frame.snapshot
    totals = _grid(
        ("ticks", f"{s.ticks:,} ({s.ticks_failed} failed)"),
        ("orders", f"{s.orders:,} ({s.open_orders} open)"),
        ("refused", f"{s.refused:,}"),
        ("fills", f"{s.fills:,}"),
    )
    money = _grid(
        ("realised", f"{s.realised:+,.2f}"),
        ("unrealised", f"{s.unrealised:+,.2f}"),
        ("fees", f"{-s.fees:+,.2f}"),
        ("funding", f"{s.funding:+,.2f}"),
        ("PNL", f"{s.profit:+,.2f}"),
    )
    waiting = [("broker", "does not answer")] if frame.queues is None else _lengths(frame.queues)
    machine = _grid(
        *waiting,
        ("steal", f"{frame.steal_percent:.0f} %"),
        ("restarts", str(frame.restarts)),
    )
    columns = Table.grid(padding=(0, 4))
    columns.add_row(totals, money, machine, _grid(*frame.venues.items()))
    title = f"MoonDev AlgoTrade  {frame.elapsed_s:.0f} s  {frame.note}"
    return Panel(Group(columns, Text(), _positions(s)), title=title, border_style="cyan")


def _lengths(queues: Mapping[str, int]) -> list[tuple[str, str]]:
    return [(name, str(length)) for name, length in queues.items()]


def _grid(*rows: tuple[str, str]) -> Table:
    grid = Table.grid(padding=(0, 1))
    grid.add_column(style="dim")
    grid.add_column(justify="right")
    for name, value in rows:
        grid.add_row(name, value)
    return grid


def _positions(snapshot: Snapshot) -> Table:
    table = Table(box=None, header_style="dim")
    table.add_column("strategy")
    table.add_column("instrument")
    table.add_column("position", justify="right")
    table.add_column("entry", justify="right")
    for row in snapshot.positions[:_POSITIONS_SHOWN]:
        table.add_row(row.strategy, row.instrument, f"{row.quantity:+f}", f"{row.entry:,.4f}")
    left = len(snapshot.positions) - _POSITIONS_SHOWN
    if left > 0:
        table.add_row(f"... and {left} more", "", "", "")
    return table


def stdout_screen() -> Screen:
    """Return the screen for this process's standard output."""
    return screen_for(sys.stdout)
