"""How the user's own strategies are doing: what runs of each, and what was saved last."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from apps.strategies.models import SourceStatus, StrategySource


@dataclass(frozen=True, slots=True)
class CodeState:
    """One strategy: the version that runs (None: none does), and the one that was seen last."""

    running: StrategySource | None
    latest: StrategySource

    @property
    def word(self) -> str:
        """Return one word: loaded, broken, held or unloaded."""
        if self.running is None and self.latest.status == SourceStatus.GOOD:
            return "unloaded"
        if self.latest.status == SourceStatus.GOOD:
            return "broken" if self.latest.error else "loaded"
        return str(self.latest.status)

    @property
    def sentence(self) -> str:
        """Return what runs, and what is wrong with what was saved last."""
        if self.word == "unloaded":
            return "not loaded: its file has gone"
        if not self.latest.error:
            return "loaded"
        runs = "nothing runs" if self.running is None else f"version {self.running.code_hash[:12]} goes on"
        return f"{self.latest.status}: {self.latest.error}; {runs}"


def code_states(kinds: Collection[str] | None = None) -> dict[str, CodeState]:
    """Return the state of every strategy that was ever in the folder, or of those of some `kinds`; two queries."""
    rows = StrategySource.objects.defer("files")
    if kinds is not None:
        rows = rows.filter(kind__in=kinds)
    running = {row.kind: row for row in rows.filter(current=True)}
    latest = rows.order_by("kind", "-seen_at", "-pk").distinct("kind")
    return {row.kind: CodeState(running.get(row.kind), row) for row in latest}
