"""Every metric there is, from the tables in the code: for the documentation, and for who asks whether one exists."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from apps.exchanges.health.metrics import venue_metrics
from apps.monitor.metrics.scrape import TOLD
from apps.monitor.metrics.text import kind_of
from moondev.counting.table import MEASURES

START = "<!-- metrics: written by `manage.py metric_docs --write`; do not edit -->"
END = "<!-- end of metrics -->"
COUNTED, READ, SUMMED = "counted by each process", "read at each scrape", "kept in Redis"


@dataclass(frozen=True, slots=True)
class Described:
    """One metric, as Prometheus has it."""

    name: str
    kind: str
    labels: tuple[str, ...]
    words: str
    origin: str

    @property
    def series(self) -> tuple[str, ...]:
        """Return the names of its series: a histogram has three."""
        return (
            tuple(f"{self.name}_{part}" for part in ("bucket", "count", "sum"))
            if self.kind == "histogram"
            else (self.name,)
        )


def described() -> tuple[Described, ...]:
    """Return every metric, in the order of the tables."""
    return tuple(_all())


def table() -> str:
    """Return the table in Markdown."""
    lines = ["| metric | kind | labels | what it is | where from |", "|---|---|---|---|---|"]
    return "\n".join([*lines, *(_row(one) for one in described())])


def with_table(page: str) -> str:
    """Return the page with the table between its two markers written anew."""
    before, _, rest = page.partition(START)
    _, _, after = rest.partition(END)
    return f"{before}{START}\n{table()}\n{END}{after}"


def _row(one: Described) -> str:
    labels = ", ".join(f"`{label}`" for label in one.labels)
    return f"| `{one.name}` | {one.kind} | {labels} | {one.words} | {one.origin} |"


def _all() -> Iterator[Described]:
    for measure in MEASURES:
        yield Described(measure.name, kind_of(measure), measure.labels, measure.words, COUNTED)
    for told in TOLD:
        yield Described(told.name, "gauge", told.labels, told.words, READ)
    for family in venue_metrics():
        # The library names a counter without the ending that its series has.
        name = f"{family.name}_total" if family.type == "counter" else family.name
        labels = tuple(getattr(family, "_labelnames", ()))
        yield Described(name, family.type, labels, family.documentation, SUMMED)
