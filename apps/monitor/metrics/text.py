"""What processes have counted as Prometheus reads it (https://prometheus.io/docs/instrumenting/exposition_formats/).

prometheus_client writes the same for its own metrics at ten times the time: here what stands before a number is written
once for each series, and a scrape of twenty thousand lines takes hundredths of a second.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import accumulate

from apps.monitor.metrics.process_file import Key
from moondev.counting.measures import Gauge, Histogram, Measure

# Series whose words are kept; labels come and go with strategies.
MOST_KEPT = 100_000


class CountedText:
    """Writes series as text."""

    def __init__(self) -> None:
        self._kept: dict[Key, tuple[str, ...]] = {}

    def write(self, measures: Iterable[Measure], series: Mapping[Key, list[float]]) -> str:
        """Return every measure with its series; one that nobody has counted is described nevertheless."""
        if len(self._kept) > MOST_KEPT:
            self._kept = {}
        by_name: dict[str, list[Key]] = {}
        for key in series:
            by_name.setdefault(key[0], []).append(key)
        lines: list[str] = []
        for measure in measures:
            lines += (f"# HELP {measure.name} {_words(measure.words)}", f"# TYPE {measure.name} {kind_of(measure)}")
            for key in sorted(by_name.get(measure.name, ())):
                lines += self._lines(measure, key, series[key])
        return "\n".join(lines) + "\n"

    def _lines(self, measure: Measure, key: Key, numbers: list[float]) -> Iterable[str]:
        begins = self._kept.get(key)
        if begins is None:
            begins = self._kept[key] = _begins(measure, key[1])
        if not isinstance(measure, Histogram):
            return (begins[0] + repr(numbers[0]),)
        counts = list(accumulate(numbers[1:]))
        return map(str.__add__, begins, map(repr, (*counts, counts[-1], numbers[0])))


def kind_of(measure: Measure) -> str:
    """Return what Prometheus calls a measure's kind."""
    if isinstance(measure, Histogram):
        return "histogram"
    return "gauge" if isinstance(measure, Gauge) else "counter"


def _begins(measure: Measure, values: tuple[str, ...]) -> tuple[str, ...]:
    """Return what stands before each number of a series."""
    labels = [f"{name}={_quoted(value)}" for name, value in zip(measure.labels, values, strict=True)]
    plain = f"{{{','.join(labels)}}}" if labels else ""
    if not isinstance(measure, Histogram):
        return (f"{measure.name}{plain} ",)
    bounds = (*(f"{bound:g}" for bound in measure.bounds), "+Inf")
    buckets = [f"{measure.name}_bucket{{{','.join([*labels, f'le={_quoted(bound)}'])}}} " for bound in bounds]
    return (*buckets, f"{measure.name}_count{plain} ", f"{measure.name}_sum{plain} ")


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
    return f'"{escaped}"'


def _words(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")
