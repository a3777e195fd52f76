"""What a benchmark found, as a table for people and JSON for programs."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.bench.figures import Spread
from tests.bench.machine import Usage

_COLUMNS = ("row", "n", "p50 ms", "p99 ms", "worst ms", "CPU ms/op", "steal %", "others %", "note")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. `cpu_ms` is the CPU of one operation over all our processes; None: not told."""

    name: str
    spread: Spread
    usage: Usage | None = None
    cpu_ms: float | None = None
    note: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Section:
    """The rows of one benchmark, and what each process used during the stretch that matters."""

    name: str
    setting: str
    rows: Sequence[Row]
    usage: Usage | None = None


def table_of(sections: Iterable[Section]) -> str:
    """Return all sections as text."""
    return "\n".join(line for section in sections for line in _section_lines(section))


def write_json(path: Path, sections: Sequence[Section], began: datetime) -> None:
    """Write the sections with the machine they were measured on."""
    path.parent.mkdir(parents=True, exist_ok=True)
    body = {
        "began": began.isoformat(),
        "machine": {"python": platform.python_version(), "system": platform.platform(), "cores": os.cpu_count()},
        "sections": [asdict(section) for section in sections],
    }
    path.write_text(json.dumps(body, indent=1, default=str) + "\n", encoding="utf-8")


def _section_lines(section: Section) -> list[str]:
    lines = ["", f"{section.name}: {section.setting}"]
    lines += _aligned([_COLUMNS, *(_cells(row) for row in section.rows)])
    if section.usage is not None:
        lines += ["", f"  processes over {section.usage.wall_s:.1f} s"]
        lines += _aligned([("process", "CPU s", "% of a core", "RSS MB", "PSS MB"), *_process_cells(section.usage)])
    return lines


def _cells(row: Row) -> tuple[str, ...]:
    spread, usage = row.spread, row.usage
    return (
        row.name,
        str(spread.count),
        _number(spread.median),
        _number(spread.p99),
        _number(spread.worst),
        _number(row.cpu_ms, 2),
        _number(None if usage is None else usage.steal),
        _number(None if usage is None else usage.others),
        row.note,
    )


def _process_cells(usage: Usage) -> list[tuple[str, ...]]:
    busiest_first = sorted(usage.processes.items(), key=lambda item: -item[1].cpu_s)
    rows = [
        (
            name,
            f"{s.cpu_s:.1f}",
            f"{100 * s.cpu_s / usage.wall_s:.0f}",
            f"{s.resident_mb:.0f}",
            f"{s.proportional_mb:.0f}",
        )
        for name, s in busiest_first
    ]
    everything = usage.processes.values()
    total = (f"{usage.cpu_s:.1f}", f"{100 * usage.cpu_s / usage.wall_s:.0f}")
    memory = (f"{sum(s.resident_mb for s in everything):.0f}", f"{sum(s.proportional_mb for s in everything):.0f}")
    return [*rows, ("all", *total, *memory)]


def _number(value: float | None, places: int = 1) -> str:
    return "-" if value is None else f"{value:.{places}f}"


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  " + "  ".join(_padded(row, widths)).rstrip() for row in rows]


def _padded(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    last = len(row) - 1
    return [
        cell.ljust(width) if index in (0, last) else cell.rjust(width)
        for index, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
