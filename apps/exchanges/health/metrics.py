"""The reports as Prometheus metrics: read from Redis when scraped, so one place can speak for every venue."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate

import redis
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from apps.exchanges.health.freshness import NEVER
from apps.exchanges.health.reports import VenueReport, venue_reports
from apps.exchanges.health.requests import BOUNDS, Requests, all_requests
from apps.exchanges.health.states import VenueState
from moondev.domain.errors import Connectivity

_GAUGES = (
    ("moondev_venue_connected", "Whether the market stream is up and subscribed.", "connected"),
    ("moondev_venue_data_age_seconds", "Age of the newest public datum of any kind, real seconds.", "data_age_seconds"),
    (
        "moondev_venue_visible_seconds",
        "Slowest way from the socket to the cache in the last second.",
        "visible_seconds",
    ),
    ("moondev_venue_state_seconds", "How long the venue has been in its state.", "state_seconds"),
)
_COUNTERS = (
    ("moondev_venue_messages", "Market events since the stream process started.", "messages"),
    ("moondev_venue_unreadable", "Messages that could not be read.", "unreadable"),
    ("moondev_venue_refused", "Market events that broke a rule of market data.", "refused"),
    ("moondev_venue_trades_lost", "Trades that Redis was away for too long to take.", "trades_lost"),
    ("moondev_venue_looks", "How often the age of the newest datum was looked at.", "looks"),
    ("moondev_venue_fresh_looks", "How often it was below a second then.", "fresh_looks"),
)


class VenueCollector(Collector):
    """Collects the reports on some venues; nothing, while Redis is away."""

    def __init__(self, client: redis.Redis, venues: Sequence[str]) -> None:
        self._redis, self._venues = client, venues

    def collect(self) -> Iterator[Metric]:
        """Yield every metric, as prometheus_client asks."""
        try:
            yield from self.read()
        except (Connectivity, redis.RedisError):
            return

    def read(self) -> list[Metric]:
        """Return every metric. Raises Connectivity or redis.RedisError when Redis is away."""
        reports = venue_reports(self._redis, self._venues)
        requests = {venue: all_requests(self._redis, venue) for venue in self._venues}
        return [*_of_streams(reports), *_of_requests(requests)]


def venue_metrics() -> list[Metric]:
    """Return every metric without a sample: what there is to be told of venues."""
    return [*_of_streams({}), *_of_requests({})]


def exposition(client: redis.Redis, venues: Sequence[str]) -> str:
    """Return the metrics of some venues in the text format."""
    registry = CollectorRegistry()
    registry.register(VenueCollector(client, venues))
    return generate_latest(registry).decode()


def _of_streams(reports: Mapping[str, VenueReport]) -> Iterator[Metric]:
    yield from _states_and_ages(reports)
    for title, words, attribute in _GAUGES:
        gauge = GaugeMetricFamily(title, words, labels=["venue"])
        for venue, report in reports.items():
            value = getattr(report, attribute)
            # Nothing was ever heard: that is no age.
            if value < NEVER:
                gauge.add_metric([venue], value)
        yield gauge
    # Who has not reported has not counted nothing.
    heard = {venue: report for venue, report in reports.items() if report.looks}
    for title, words, attribute in _COUNTERS:
        counter = CounterMetricFamily(title, words, labels=["venue"])
        for venue, report in heard.items():
            counter.add_metric([venue], getattr(report, attribute))
        yield counter


def _states_and_ages(reports: Mapping[str, VenueReport]) -> tuple[Metric, ...]:
    state = GaugeMetricFamily("moondev_venue_state", "1 for the state a venue is in.", labels=["venue", "state"])
    words = "Age of the newest datum of a kind."
    ages = GaugeMetricFamily("moondev_venue_kind_age_seconds", words, labels=["venue", "kind"])
    words = "Age of an instrument's book."
    books = GaugeMetricFamily("moondev_venue_book_age_seconds", words, labels=["venue", "symbol"])
    for venue, report in reports.items():
        for name in VenueState:
            state.add_metric([venue, name.value], float(report.state is name))
        for kind, age in report.ages.items():
            ages.add_metric([venue, kind], age)
        for symbol, age in report.book_ages.items():
            books.add_metric([venue, symbol], age)
    return state, ages, books


def _of_requests(requests: Mapping[str, Requests]) -> Iterator[Metric]:
    latency = HistogramMetricFamily(
        "moondev_venue_request_seconds", "How long requests took, over all processes.", labels=["venue"]
    )
    errors = CounterMetricFamily("moondev_venue_request_errors", "Requests without a usable answer.", labels=["venue"])
    for venue, figures in requests.items():
        bounds = [*(str(bound) for bound in BOUNDS), "+Inf"]
        latency.add_metric([venue], list(zip(bounds, accumulate(figures.buckets), strict=True)), figures.seconds)
        errors.add_metric([venue], figures.errors)
    yield from (latency, errors)
