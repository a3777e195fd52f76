"""How kept data is shown to people: progress while it comes, tables of what there is and what is wrong with it."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

from rich import box
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from apps.exchanges.market_data.history.catalogue import Holding
from apps.exchanges.market_data.history.download import Progress as Told
from apps.exchanges.market_data.history.fetch import Fetched, Span
from apps.exchanges.market_data.history.quality.findings import Finding
from apps.exchanges.market_data.history.record import Progress as Recorded
from apps.exchanges.market_data.history.series import SeriesKey
from moondev.domain.clock import from_milliseconds, milliseconds

# Nobody who reads a file wants its lines broken.
WIDTH_OF_A_FILE = 240
_UNITS = ("B", "kB", "MB", "GB", "TB")


class Bars:
    """One progress bar per series, on standard error, so that standard output holds only the answer."""

    def __init__(self) -> None:
        """Show nothing before `opened`."""
        self._progress = Progress(
            TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TextColumn("{task.fields[at]}"),
            TimeRemainingColumn(), console=Console(stderr=True),
        )  # fmt: skip

    @contextmanager
    def opened(self) -> Iterator[Bars]:
        """Show the bars while the block runs."""
        with self._progress:
            yield self

    def bar(self, key: SeriesKey, span: Span) -> Told:
        """Add the bar of one series; return what to tell how far it has come."""
        first, last = milliseconds(span.start), milliseconds(span.end)
        task = self._progress.add_task(str(key), total=last - first, at="")

        def told(moment: datetime) -> None:
            stamp = milliseconds(moment)
            at = f"{from_milliseconds(stamp):%Y-%m-%d %H:%M}"
            self._progress.update(task, completed=min(max(stamp - first, 0), last - first), at=at)

        return told


class Counter:
    """One line on standard error that tells how a recording goes."""

    def __init__(self) -> None:
        """Show nothing before `opened`."""
        self._progress = Progress(TextColumn("{task.description}"), console=Console(stderr=True))
        self._task = self._progress.add_task("connecting ...")

    @contextmanager
    def opened(self) -> Iterator[Counter]:
        """Show the line while the block runs."""
        with self._progress:
            yield self

    def told(self, state: Recorded) -> None:
        """Show the newest state."""
        self._progress.update(self._task, description=recorded_text(state))


def recorded_text(state: Recorded) -> str:
    """Return a recording's state in one line; what did not go well only when there is any."""
    counts = ", ".join(f"{count:,} {kind}" for kind, count in state.counts.items())
    parts = [f"{state.seconds:.0f} s", counts, f"{state.written:,} rows written"]
    troubles = {
        "waiting": state.waiting,
        "let go": state.let_go,
        "refused": state.refused,
        "unreadable": state.unreadable,
    }
    parts += [f"{count:,} {name}" for name, count in troubles.items() if count]
    return "; ".join([*parts, *(() if state.connected else ("not connected",))])


def fetched_table(results: Sequence[Fetched]) -> str:
    """Return what a download did."""
    rows = [
        (str(r.key), f"{r.came:,}", f"{r.rows:,}", _gap_text(len(r.gaps), sum(gap.bars for gap in r.gaps)))
        for r in results
    ]
    return _text(("series", ">came", ">there now", "gaps"), rows)


def holdings_table(holdings: Sequence[Holding]) -> str:
    """Return what is kept."""
    rows = [
        (
            h.place.value, h.extent.key.venue, h.extent.key.symbol, _kind_text(h.extent.key),
            _when(h.extent.first_ms), _when(h.extent.last_ms), f"{h.extent.rows:,}",
            "-" if h.gaps is None else _gap_text(h.gaps, h.missing or 0), _size(h.extent.size_bytes),
        )
        for h in holdings
    ]  # fmt: skip
    return _text(("place", "venue", "symbol", "kind", "first", "last", ">rows", "gaps", ">size"), rows)


def findings_table(findings: Sequence[tuple[str, Finding]]) -> str:
    """Return what checks found, with the first rows concerned and what would mend it."""
    rows = [
        (name, f.severity.name.lower(), f.code.value, f"{f.count:,}", f.message, "".join(f.evidence[:1]), f.repair)
        for name, f in findings
    ]  # fmt: skip
    return _text(("data", "severity", "code", ">rows", "what", "for example", "what to do"), rows)


def _text(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    table = Table(box=box.SIMPLE)
    for heading in headings:
        table.add_column(heading.lstrip(">"), justify="right" if heading[0] == ">" else "left", overflow="fold")
    for row in rows:
        # Told as plain text: a symbol in brackets is no markup.
        table.add_row(*(cell.replace("[", r"\[") for cell in row))
    console = Console(width=None if sys.stdout.isatty() else WIDTH_OF_A_FILE)
    with console.capture() as capture:
        console.print(table)
    return capture.get().rstrip()


def _kind_text(key: SeriesKey) -> str:
    return str(key).partition(f"{key.symbol} ")[2]


def _gap_text(gaps: int, missing: int) -> str:
    return "none" if not gaps else f"{gaps} ({missing:,} bars)"


def _when(stamp_ms: int) -> str:
    return f"{from_milliseconds(stamp_ms):%Y-%m-%d %H:%M:%S}"


def _size(count: int | None) -> str:
    if count is None:
        return "-"
    size, unit = float(count), 0
    while size >= 1000 and unit < len(_UNITS) - 1:
        size, unit = size / 1000, unit + 1
    return f"{size:.0f} {_UNITS[unit]}" if unit == 0 else f"{size:.1f} {_UNITS[unit]}"
