"""What people ask of kept data: bring it, look at it, hold it to the rules."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from apps.exchanges.market_data.history.catalogue import Holding, Place, holdings
from apps.exchanges.market_data.history.download import Downloader
from apps.exchanges.market_data.history.download import Progress as Told
from apps.exchanges.market_data.history.fetch import Fetched, Span, fetch
from apps.exchanges.market_data.history.keeper import BarKeeper
from apps.exchanges.market_data.history.lake import Lake, configured_lake
from apps.exchanges.market_data.history.policy import hot_since
from apps.exchanges.market_data.history.quality.checks import check
from apps.exchanges.market_data.history.quality.dataset import Dataset
from apps.exchanges.market_data.history.quality.files import read_dataset
from apps.exchanges.market_data.history.quality.findings import Finding
from apps.exchanges.market_data.history.quality.stored import stored_dataset
from apps.exchanges.market_data.history.record import Progress, Recording
from apps.exchanges.market_data.history.series import SeriesKey
from apps.exchanges.market_data.history.sink import Sink
from apps.exchanges.market_data.history.sound import FIRST_MS, LAST_MS
from apps.exchanges.market_data.history.spans import Choice
from apps.exchanges.market_data.history.store import HistoryStore, open_store
from apps.exchanges.market_data.service import run_until_signalled, venue_named
from apps.exchanges.ports import MarketDataClient
from apps.exchanges.registry import market_data_for, market_stream_for
from moondev.domain.clock import Clock, from_milliseconds
from moondev.domain.errors import InvalidValue, TradingError

EVERYTHING = Span(from_milliseconds(FIRST_MS), from_milliseconds(LAST_MS))


@dataclass(frozen=True, slots=True)
class Failure:
    """A series that could not be brought, and why."""

    key: SeriesKey
    reason: str


@contextmanager
def opened_sink(places: Sequence[Place], now: datetime) -> Iterator[Sink]:
    """Give a sink into the places named, with the operator's limits, for as long as the block runs."""
    lake = configured_lake() if Place.LAKE in places else None
    if Place.STORE not in places:
        yield Sink(lake, None)
        return
    with open_store() as store:
        yield Sink(lake, store, hot_since(now))


def download(
    choice: Choice,
    span: Span,
    places: Sequence[Place],
    clock: Clock,
    bar: Callable[[SeriesKey, Span], Told],
    *,
    again: bool = False,
) -> tuple[list[Fetched], list[Failure]]:
    """Bring every series of the choice; return what came and what failed: one that fails stops no other.

    Raises InvalidValue for a symbol the venue does not list, Configuration for a venue we do not have.
    """
    keys = list(choice.keys())
    client = market_data_for(venue_named(choice.venue or "").to_config())
    done: list[Fetched] = []
    failed: list[Failure] = []
    with closing(client), opened_sink(places, clock.now()) as sink:
        require_listed(client, choice)
        for key in keys:
            try:
                done.append(fetch(key, span, Downloader(client, sink, clock, bar(key, span)), again=again))
            except TradingError as error:
                failed.append(Failure(key, str(error)))
    return done, failed


def record(
    choice: Choice, places: Sequence[Place], clock: Clock, seconds: float | None, progress: Callable[[Progress], None]
) -> Progress:
    """Record the live data of the choice until SIGINT or SIGTERM, or for so many seconds; return how it went.

    Raises InvalidValue for a symbol the venue does not list, Configuration for a venue we do not have.
    """
    config = venue_named(choice.venue or "").to_config()
    client, last = market_data_for(config), Progress(0.0, {}, 0, 0, 0, 0, 0, connected=False)

    def told(state: Progress) -> None:
        nonlocal last
        last = state
        progress(state)

    with closing(client), opened_sink(places, clock.now()) as sink:
        require_listed(client, choice)
        recording = Recording(
            BarKeeper(config.code, client, sink, clock),
            lambda subscriptions, handler: market_stream_for(config, subscriptions, handler),
            choice.symbols, choice.kinds, choice.intervals, told, seconds,
        )  # fmt: skip
        run_until_signalled(recording)
    return last


def require_listed(client: MarketDataClient, choice: Choice) -> None:
    """Raise InvalidValue that names the first symbol which the venue does not list."""
    listed = sorted(listing.instrument.symbol for listing in client.instruments())
    for symbol in choice.symbols:
        if symbol not in listed:
            shown = ", ".join(listed[:20]) + (f" and {len(listed) - 20} more" if len(listed) > 20 else "")
            raise InvalidValue("symbol", symbol, f"what {choice.venue} lists: {shown}")


def kept(choice: Choice, places: Sequence[Place]) -> list[Holding]:
    """Return what is kept of the choice in the places named."""
    with _opened(places) as (lake, store):
        return [holding for holding in holdings(lake, store, choice.venue) if choice.matches(holding.extent.key)]


def check_kept(choice: Choice, span: Span, places: Sequence[Place]) -> Iterator[tuple[str, list[Finding]]]:
    """Yield the name of every series kept of the choice, and what the rules say of its rows in the span."""
    with _opened(places) as (lake, store):
        for place, key in _chosen(choice, lake, store):
            source = lake if place is Place.LAKE else store
            rows = source.read(key, span.start, span.end)  # type: ignore[union-attr]  # only places that are open
            data = stored_dataset(key, rows, place.value)
            yield data.name, check(data)


def check_files(
    paths: Sequence[Path], interval: timedelta | None, against: Path | None
) -> Iterator[tuple[str, list[Finding]]]:
    """Yield the name of every file and what the rules say of it. Raises InvalidValue for a file that cannot be read."""
    reference: Dataset | None = None if against is None else read_dataset(against, interval)
    for path in paths:
        data = read_dataset(path, interval)
        yield data.name, check(data, reference)


def _chosen(choice: Choice, lake: Lake | None, store: HistoryStore | None) -> Iterator[tuple[Place, SeriesKey]]:
    keys = [(Place.LAKE, key) for key in lake.series()] if lake is not None else []
    if store is not None:
        keys += [(Place.STORE, extent.key) for extent in store.extents()]
    return ((place, key) for place, key in keys if choice.matches(key))


@contextmanager
def _opened(places: Sequence[Place]) -> Iterator[tuple[Lake | None, HistoryStore | None]]:
    lake = configured_lake() if Place.LAKE in places else None
    if Place.STORE not in places:
        yield lake, None
        return
    with open_store() as store:
        yield lake, store
