"""Open a market: the instruments, the feed that moves them, and the clock they run on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from apps.exchanges.mock.engine.exchange import Exchange
from apps.exchanges.mock.engine.feed.setup import SYNTHETIC, Setup, instruments, prepare
from apps.exchanges.mock.engine.feed.synthetic import SyntheticFeed
from apps.exchanges.mock.relay.feed import RelayFeed
from apps.exchanges.mock.relay.opening import PREFIX as RELAY
from apps.exchanges.mock.relay.opening import first_prices, source_named
from apps.exchanges.mock.venues import HYPERLIQUID, VENUES, MockVenue, mark_on_grid
from moondev.domain.clock import Clock, LiveClock, ReplayClock, process_clock
from moondev.domain.errors import InvalidValue

NO_FEED = "none"
_BPS = Decimal(10_000)


@dataclass(frozen=True, slots=True)
class MarketOptions:
    """What to open.

    `feed` is "synthetic", "none" (empty books, for scenarios), "relay:" and a venue, or the path of a recording. A
    recording brings its own coin; `coins` are of the others. `speed` is a recording's, when the process
    has no replay clock of its own.
    """

    feed: str = SYNTHETIC
    coins: Sequence[str] = ("BTC", "ETH", "SOL")
    seed: int = 1
    speed: float = 1.0


def open_market(options: MarketOptions) -> tuple[Exchange, Clock]:
    """Return Hyperliquid's exchange, fed, and its clock. Raises InvalidValue for what cannot be opened."""
    exchanges, clock = open_markets(options, [VENUES[HYPERLIQUID]])
    return exchanges[HYPERLIQUID], clock


def open_markets(options: MarketOptions, venues: Sequence[MockVenue]) -> tuple[dict[str, Exchange], Clock]:
    """Return an exchange for each venue, by name, all fed by the same market, and their one clock.

    Raises InvalidValue for what cannot be opened.
    """
    if not venues:
        raise InvalidValue("venues", "none", "at least one")
    if options.feed.startswith(RELAY):
        return _relayed(options, venues)
    setups = {venue.name: _setup(options, venue) for venue in venues}
    clock = _clock(next(iter(setups.values())), options.speed)
    return {venue.name: _opened(setups[venue.name], venue, clock, options) for venue in venues}, clock


def _setup(options: MarketOptions, venue: MockVenue) -> Setup:
    """Return the venue's own feed: the same market for all, a little higher or lower."""
    feed = SYNTHETIC if options.feed == NO_FEED else options.feed
    setup = prepare(feed, options.coins, options.seed, basis_bps=venue.basis_bps)
    level = 1 + Decimal(str(venue.basis_bps)) / _BPS
    return _listed(replace(setup, marks={coin: mark * level for coin, mark in setup.marks.items()}), venue)


def _relayed(options: MarketOptions, venues: Sequence[MockVenue]) -> tuple[dict[str, Exchange], Clock]:
    """Return the market of a live venue, copied into each of `venues`."""
    clock = process_clock()
    if not isinstance(clock, LiveClock):
        raise InvalidValue("feed", options.feed, "a feed of recorded or made-up prices: MOONDEV_CLOCK is set")
    source = source_named(options.feed, options.coins)
    specs, marks = instruments(first_prices(source))
    setups = {venue.name: _listed(Setup(specs, marks, RelayFeed(source)), venue) for venue in venues}
    return {venue.name: _opened(setups[venue.name], venue, clock, options) for venue in venues}, clock


def _listed(setup: Setup, venue: MockVenue) -> Setup:
    """Return `setup` with the venue's own rules, and its spot pairs."""
    marks = dict(setup.marks)
    specs = tuple(venue.spec(spec, marks[spec.coin]) for spec in setup.specs)
    # A recording is of one perpetual: there is nothing to move a spot book with.
    pairs = venue.spot_pairs(setup.specs, marks) if setup.recording is None else {}
    if isinstance(setup.feed, SyntheticFeed | RelayFeed):
        setup.feed.price_as({pair.coin: coin for coin, pair in pairs.items()})
    marks |= {pair.coin: marks[coin] for coin, pair in pairs.items()}
    listed = (*specs, *pairs.values())
    return replace(setup, specs=listed, marks={spec.coin: mark_on_grid(spec, marks[spec.coin]) for spec in listed})


def _opened(setup: Setup, venue: MockVenue, clock: Clock, options: MarketOptions) -> Exchange:
    exchange = Exchange(setup.specs, clock, setup.marks, venue.engine())
    if options.feed != NO_FEED:
        exchange.attach(setup.feed)
    return exchange


def _clock(setup: Setup, speed: float) -> Clock:
    """Return the process's clock; for a recording without one, a replay clock that starts with it."""
    clock = process_clock()
    if setup.start is None or not isinstance(clock, LiveClock):
        return clock
    return ReplayClock(setup.start, clock.now(), speed)
