"""Honesty checks in a terminal, and as JSON for programs."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from apps.strategies.backtest.honesty.check import Check
from apps.strategies.backtest.honesty.gate import Lack

# Nobody who reads a file wants its lines broken.
WIDTH_OF_A_FILE = 160
MOST_FINDINGS = 8
_STYLES = {True: "green", False: "bold red", None: "yellow"}


def checks_table(checks: Sequence[Check]) -> str:
    """Return checks, one row each, with what was found below its words."""
    table = Table(box=box.SIMPLE)
    for heading in ("check", "verdict", "in words"):
        table.add_column(heading, overflow="fold")
    table.add_column("runs", justify="right")
    for check in checks:
        style = _STYLES[check.passed]
        told = "\n".join(escape(line) for line in (check.words, *_findings(check)))
        table.add_row(check.code, f"[{style}]{check.verdict}[/{style}]", told, str(check.backtests))
    console = Console(width=None if sys.stdout.isatty() else WIDTH_OF_A_FILE)
    with console.capture() as capture:
        console.print(table)
    return "\n".join(line.rstrip() for line in capture.get().rstrip().splitlines())


def gate_told(lacks: Sequence[Lack]) -> str:
    """Return what is lacking, one line each."""
    if not lacks:
        return "Gate: open, everything that was asked for passed."
    return "\n".join(("Gate: closed.", *(f"  - {lack}" for lack in lacks)))


def told_as_json(checks: Sequence[Check], lacks: Sequence[Lack]) -> dict[str, Any]:
    """Return checks and gate as plain values."""
    return {
        "checks": [asdict(check) for check in checks],
        "lacking": [{"check": lack.check, "why": lack.why, "words": lack.words} for lack in lacks],
    }


def _findings(check: Check) -> list[str]:
    shown = [f"  - {finding}" for finding in check.findings[:MOST_FINDINGS]]
    more = len(check.findings) - len(shown)
    return [*shown, f"  and {more} more"] if more > 0 else shown
