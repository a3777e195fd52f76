"""Everything that a rule can measure."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from apps.monitor.alerts.measured import Measure, Source, Unit
from apps.monitor.alerts.readings import sources, venues

SHARE, SECONDS, NUMBER, YES_NO = Unit.SHARE, Unit.SECONDS, Unit.NUMBER, Unit.YES_NO
DATABASE, CACHE, BROKER, MACHINE = Source.DATABASE, Source.CACHE, Source.BROKER, Source.MACHINE

MEASURES: Mapping[str, Measure] = MappingProxyType(
    {
        measure.name: measure
        for measure in (
            Measure("venue_down", "a venue does not answer", YES_NO, ("venue",), CACHE, venues.venue_down),
            Measure("data_age", "age of a venue's newest datum", SECONDS, ("venue",), CACHE, venues.data_age),
            Measure("book_age", "age of a venue's oldest streamed book", SECONDS, ("venue",), CACHE, venues.book_age),
            Measure("error_rate", "requests without a usable answer", SHARE, ("venue",), CACHE, venues.error_rate),
            Measure("unreconciled", "what an account's stream missed has yet to be asked for", YES_NO,
                    ("account", "venue"), DATABASE, venues.unreconciled),
            Measure("source_down", "broker or cache does not answer", YES_NO, ("source",), MACHINE,
                    sources.source_down),
        )
    }
)  # fmt: skip
