"""Start and stop a venue's stream processes with the adapters, the cache and the signals of this machine."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

import uvloop
from django.conf import settings

from apps.exchanges.accounts.watched import watched_accounts
from apps.exchanges.credentials.listener import listener_credentials
from apps.exchanges.market_data.cache import MarketWriter, redis_client
from apps.exchanges.market_data.stream import MarketStreamProcess
from apps.exchanges.models import InstrumentRow, Venue
from apps.exchanges.orders.short_ids import short_ids_of
from apps.exchanges.orders.user_stream import Guard, UserStreamProcess
from apps.exchanges.ports import (
    Environment,
    FillBatch,
    MarketDataClient,
    MarketHandler,
    MarketSubscription,
    Stream,
    UserEvent,
    UserHandler,
    VenueConfig,
)
from apps.exchanges.registry import market_data_for, market_stream_for, user_stream_for
from moondev.domain.clock import process_clock
from moondev.domain.errors import Configuration, Connectivity
from moondev.garbage import rarely_collect

if TYPE_CHECKING:
    from apps.exchanges.market_data.history.keeper import BarKeeper


class Process(Protocol):
    """Something that runs until it is told to stop."""

    async def run(self) -> None:
        """Run until stopped."""
        ...

    def stop(self) -> None:
        """Ask `run` to return."""
        ...


def venue_named(code: str) -> Venue:
    """Return the enabled venue called `code`. Raises Configuration that names the known ones."""
    try:
        return Venue.objects.get(code=code, enabled=True)
    except Venue.DoesNotExist:
        known = ", ".join(Venue.objects.filter(enabled=True).values_list("code", flat=True)) or "none yet"
        raise Configuration(f"venue is {code!r}; allowed: {known}") from None


def market_process(venue: Venue) -> MarketStreamProcess:
    """Return the process that keeps the market data of `venue` fresh."""
    config = venue.to_config()

    def open_stream(subscriptions: Sequence[MarketSubscription], handler: MarketHandler) -> Stream:
        return market_stream_for(config, subscriptions, handler)

    client = market_data_for(config)
    keeper = bar_keeper(config, client) if keeps_bars(config) else None
    return MarketStreamProcess(
        venue.code, client, open_stream, MarketWriter(redis_client()), process_clock(), keeper=keeper
    )


def keeps_bars(config: VenueConfig) -> bool:
    """Return whether the live bars of a venue belong into the database: made-up prices do not, unless asked for."""
    wanted = settings.MOONDEV_KEEP_BARS
    return bool(wanted == "all" or (wanted == "real" and config.environment is not Environment.PAPER))


def bar_keeper(config: VenueConfig, client: MarketDataClient) -> BarKeeper:
    """Return what keeps the live bars of a venue in the database."""
    # Here, because what writes columns takes 70 MB that a process which keeps nothing can do without.
    from apps.exchanges.market_data.history.keeper import BarKeeper  # noqa: PLC0415
    from apps.exchanges.market_data.history.policy import hot_since  # noqa: PLC0415
    from apps.exchanges.market_data.history.sink import Sink  # noqa: PLC0415
    from apps.exchanges.market_data.history.store import HistoryStore, store_engine  # noqa: PLC0415

    clock = process_clock()
    return BarKeeper(config.code, client, Sink(None, HistoryStore(store_engine()), hot_since(clock.now())), clock)


def user_process(
    venue: Venue,
    apply: Callable[[int, Sequence[UserEvent]], object],
    sweep: Callable[[], object],
    guard: Guard | None = None,
) -> UserStreamProcess:
    """Return the process that hears what `venue` says of our accounts.

    It ends by itself when the accounts are not the ones it listens to any more; its supervisor starts it anew.
    """
    config = venue.to_config()
    addresses = _addresses(venue)
    if not addresses:
        raise Configuration(f"venue {venue.code} has no enabled account; add one in the admin")

    # Read before there is an event loop: on it nobody may wait for the database.
    credentials = {account_id: listener_credentials(account_id) for account_id in addresses}

    def open_stream(account_id: int, handler: UserHandler) -> Stream:
        short_ids = short_ids_of(account_id, config.protocol)
        return user_stream_for(config, credentials[account_id], handler, short_ids)

    return UserStreamProcess(
        addresses,
        open_stream,
        apply,
        FillNews(venue.code),
        sweep,
        still_current=lambda: _addresses(venue) == addresses,
        guard=guard,
    )


def _addresses(venue: Venue) -> dict[int, str]:
    return dict(watched_accounts().filter(venue=venue).values_list("pk", "address"))


class FillNews:
    """Tells the dispatcher which instruments were filled, so that their strategies look again."""

    def __init__(self, venue: str) -> None:
        self._venue, self._clock = venue, process_clock()
        self._writer = MarketWriter(redis_client())

    def __call__(self, account_id: int, batch: Sequence[UserEvent]) -> None:
        """Publish one event per instrument filled; a cache that is away costs only the haste."""
        newest = {
            fill.symbol: fill
            for event in batch
            if isinstance(event, FillBatch) and not event.snapshot
            for fill in event.fills
        }
        for symbol, fill in newest.items():
            key = InstrumentRow(venue_id=self._venue, symbol=symbol).key
            self._writer.event("fill", key, f"fill:{account_id}:{fill.venue_trade_id}", self._clock.now())
        try:
            if newest:
                self._writer.flush()
        except Connectivity:
            return


def run_until_signalled(process: Process) -> None:
    """Run `process` on an event loop until it ends or SIGINT or SIGTERM asks it to."""
    rarely_collect()

    async def session() -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, process.stop)
        await process.run()

    uvloop.run(session())
