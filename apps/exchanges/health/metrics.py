"""The reports as Prometheus metrics: read from Redis when scraped, so one place can speak for every venue."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate

import redis
from prometheus_client import CollectorRegistry, generate_latest, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric

from apps.exchanges.health.reports import VenueReport, venue_reports
from apps.exchanges.health.requests import BOUNDS, Requests, all_requests
from apps.exchanges.health.states import VenueState
from moondev.domain.errors import Connectivity

_GAUGES = (
    ("venue_connected", "Whether the market stream is up and subscribed.", "connected"),
    ("venue_data_age_seconds", "Age of the newest public datum of any kind, real seconds.", "data_age_seconds"),
    ("venue_visible_seconds", "Slowest way from the socket to the cache within the last second.", "visible_seconds"),
    ("venue_state_seconds", "How long the venue has been in its state.", "state_seconds"),
)
_COUNTERS = (
    ("venue_messages", "Market events since the stream process started.", "messages"),
    ("venue_unreadable", "Messages that could not be read.", "unreadable"),
    ("venue_refused", "Market events that broke a rule of market data.", "refused"),
    ("venue_trades_lost", "Trades that Redis was away for too long to take.", "trades_lost"),
    ("venue_looks", "How often the age of the newest datum was looked at.", "looks"),
    ("venue_fresh_looks", "How often it was below a second then.", "fresh_looks"),
)


class VenueCollector:
    """Collects the reports on some venues; nothing, while Redis is away."""

    def __init__(self, client: redis.Redis, venues: Sequence[str]) -> None:
        self._redis, self._venues = client, venues

    def collect(self) -> Iterator[Metric]:
        """Yield every metric, as prometheus_client asks."""
        try:
            reports = venue_reports(self._redis, self._venues)
            requests = {venue: all_requests(self._redis, venue) for venue in self._venues}
        except (Connectivity, redis.RedisError):
            return
        yield from _of_streams(reports)
        yield from _of_requests(requests)


def exposition(client: redis.Redis, venues: Sequence[str]) -> str:
    """Return the metrics of some venues in the text format."""
    return generate_latest(_registry(client, venues)).decode()


def serve_metrics(client: redis.Redis, venues: Sequence[str], port: int) -> None:
    """Answer scrapes on this machine's own address, from a thread, for as long as the process lives."""
    start_http_server(port, addr="127.0.0.1", registry=_registry(client, venues))


def _registry(client: redis.Redis, venues: Sequence[str]) -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(VenueCollector(client, venues))
    return registry


def _of_streams(reports: dict[str, VenueReport]) -> Iterator[Metric]:
    state = GaugeMetricFamily("venue_state", "1 for the state a venue is in.", labels=["venue", "state"])
    ages = GaugeMetricFamily("venue_kind_age_seconds", "Age of the newest datum of a kind.", labels=["venue", "kind"])
    books = GaugeMetricFamily("venue_book_age_seconds", "Age of an instrument's book.", labels=["venue", "symbol"])
    for venue, report in reports.items():
        for name in VenueState:
            state.add_metric([venue, name.value], float(report.state is name))
        for kind, age in report.ages.items():
            ages.add_metric([venue, kind], age)
        for symbol, age in report.book_ages.items():
            books.add_metric([venue, symbol], age)
    yield from (state, ages, books)
    for title, words, attribute in _GAUGES:
        gauge = GaugeMetricFamily(title, words, labels=["venue"])
        for venue, report in reports.items():
            gauge.add_metric([venue], getattr(report, attribute))
        yield gauge
    for title, words, attribute in _COUNTERS:
        counter = CounterMetricFamily(title, words, labels=["venue"])
        for venue, report in reports.items():
            counter.add_metric([venue], getattr(report, attribute))
        yield counter


def _of_requests(requests: dict[str, Requests]) -> Iterator[Metric]:
    latency = HistogramMetricFamily(
        "venue_request_seconds", "How long requests took, over all processes.", labels=["venue"]
    )
    errors = CounterMetricFamily("venue_request_errors", "Requests without a usable answer.", labels=["venue"])
    for venue, figures in requests.items():
        bounds = [*(str(bound) for bound in BOUNDS), "+Inf"]
        latency.add_metric([venue], list(zip(bounds, accumulate(figures.buckets), strict=True)), figures.seconds)
        errors.add_metric([venue], figures.errors)
    yield from (latency, errors)
