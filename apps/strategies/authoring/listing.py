"""Which strategies there are, as a table for a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from apps.strategies.authoring.selectors import CodeState, code_states
from apps.strategies.registry import idea, library_names

HEAD = ("strategy", "from", "version", "presets", "state")


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as text, in columns."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)


def findings_table(findings: Sequence[Mapping[str, Any]]) -> str:
    """Return what examining each preset has shown."""
    rows = [("preset", "decisions", "changes", "median ms", "slowest ms", "found")]
    for one in findings:
        figures = [str(one.get(name, "-")) for name in ("decisions", "changes", "median_ms", "slowest_ms")]
        rows.append((str(one["preset"]), figures[0], figures[1], figures[2], figures[3], _found(one)))
    return aligned(rows)


def _found(one: Mapping[str, Any]) -> str:
    if not one["passed"]:
        return str(one["problem"])
    if one["too_slow"]:
        return "too slow: a decision may take 50 ms"
    notes = "; ".join(one["notes"])
    return "does not see ahead" + (f"; it notes: {notes}" if notes else "")


def library_lines() -> list[Sequence[str]]:
    """Return a line per strategy of the library."""
    found: list[Sequence[str]] = []
    for name in library_names():
        one = idea(name)
        found.append((name, "library", one.code_hash[:12], ", ".join(one.strategy.presets), "loaded"))
    return found


def own_lines() -> list[Sequence[str]]:
    """Return a line per strategy that was ever in the folder."""
    return [_own_line(state) for state in code_states().values()]


def _own_line(state: CodeState) -> Sequence[str]:
    shown = state.running or state.latest
    version = state.running.code_hash[:12] if state.running else "-"
    return (shown.kind, shown.file, version, ", ".join(shown.presets) or "-", state.sentence)
