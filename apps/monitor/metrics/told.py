"""A metric that is read when it is asked for: its name, what it is, and how its samples are given."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric

Sample = tuple[tuple[str, ...], float | Decimal | None]


@dataclass(frozen=True, slots=True)
class Told:
    """A gauge. What is not known has no sample: nobody is told a zero that nobody has seen."""

    name: str
    words: str
    labels: tuple[str, ...] = ()

    def family(self, samples: Iterable[Sample]) -> Metric:
        """Return it with its samples, label values first; those whose value is None are left out."""
        family = GaugeMetricFamily(self.name, self.words, labels=self.labels)
        for labels, value in samples:
            if value is not None:
                family.add_metric(labels, float(value))
        return family
