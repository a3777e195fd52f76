"""Reads everything a shard of ticks is decided on, in a number of queries that does not grow with it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from apps.exchanges import selectors
from apps.exchanges.market_data.cache import NEVER_HEARD, MarketCache, Wanted
from apps.exchanges.models import Environment
from apps.risk.facts import RiskFacts, load_facts
from apps.risk.scope import StrategyScope
from apps.risk.sizing.markets import movement
from apps.risk.sizing.multiples import Allowed, Readings, allowed
from apps.strategies.base import OwnPosition
from apps.strategies.models import Routing, StrategyInstrument, Tick
from apps.strategies.orchestrator.loader import Loaded, load
from apps.strategies.orchestrator.outlets import Outlet, Outlets, fees_at, outlets_of, scopes_abroad
from apps.strategies.orchestrator.telling import about
from apps.strategies.orchestrator.venues import Troubled
from apps.strategies.orchestrator.work import Failed, Work
from apps.strategies.promotion.certificate import why_not
from moondev.domain.errors import Connectivity
from moondev.domain.instruments import Instrument
from moondev.domain.market_data import BarSeries, InstrumentView, MarketView, Needs
from moondev.domain.orders import WorkingOrder
from moondev.domain.portfolio import Holding
from moondev.domain.values import Price
from moondev.logs import said

logger = logging.getLogger(__name__)

Views = Mapping[str, InstrumentView]
Health = Callable[[Collection[str]], Troubled]


@dataclass(frozen=True, slots=True)
class _Idea:
    """A tick whose code and parameters are there, what it wants to see, and where else it may trade.

    `abroad` are those of its own instruments (by key) that lie on another account than its own.
    """

    tick: Tick
    loaded: Loaded
    needs: Needs
    instrument_ids: Mapping[str, int]
    instruments: Mapping[str, Instrument]
    scope: StrategyScope
    outlets: Mapping[str, tuple[Outlet, ...]]
    abroad: Mapping[str, StrategyScope]

    @property
    def stand_ins(self) -> list[Outlet]:
        """Return the outlets that are not at home."""
        return [outlet for outlets in self.outlets.values() for outlet in outlets[1:]]

    @property
    def elsewhere(self) -> dict[str, StrategyScope]:
        """Return every instrument, by key, whose orders move another account's money, with whose."""
        return {**self.abroad, **{outlet.key: outlet.scope for outlet in self.stand_ins}}

    @property
    def keys(self) -> tuple[str, ...]:
        """Return every instrument whose data the tick needs, once."""
        elsewhere = (outlet.key for outlet in self.stand_ins)
        return tuple(dict.fromkeys((*self.needs.instruments, *self.instruments, *elsewhere)))


@dataclass(frozen=True, slots=True)
class _Books:
    """The shard's books: each by strategy, or by account."""

    working: Mapping[str, list[WorkingOrder]]
    holdings: Mapping[str, Mapping[str, Holding]]
    account_net: Mapping[int, Mapping[str, Decimal]]
    facts: Mapping[str, RiskFacts]
    troubled: Troubled


def load_shard(
    ticks: Sequence[Tick], cache: MarketCache, now: datetime, health: Health
) -> tuple[list[Work], list[Failed]]:
    """Return the work of every tick that can be run, and the failures of those that cannot.

    `health` says which of the venues asked about are not well; it is asked only about strategies with stand-ins.
    """
    ideas, failed = _ideas(ticks)
    if not ideas:
        return [], failed
    scopes = {idea.scope.strategy: idea.scope for idea in ideas}
    accounts = {scope.account_id for idea in ideas for scope in (idea.scope, *idea.elsewhere.values())}
    venues = {outlet.scope.venue for idea in ideas for outlets in idea.outlets.values() for outlet in outlets}
    # Orders before positions: a fill in between is then counted twice, which trades too little for one tick; the
    # other way round it would be counted nowhere, and the order placed again.
    working = selectors.working_orders(list(scopes))
    books = _Books(
        working,
        selectors.holdings(list(scopes)),
        selectors.account_net(accounts),
        load_facts(list(scopes.values()), now),
        health(venues) if venues else Troubled(),
    )
    try:
        read = _reader(ideas, books.facts, cache, now)
    except Connectivity as error:
        return [], [*failed, *(Failed(idea.tick, str(error), kind="no_market_data") for idea in ideas)]
    works = []
    for idea in ideas:
        try:
            works.append(_work(idea, books, read(idea), now))
        except Exception as error:  # data that makes no sense fails those who look at it, and nobody else
            logger.exception("what %s looks at cannot be used", idea.tick.strategy.slug, extra=said(**about(idea.tick)))
            failed.append(Failed(idea.tick, _unusable(idea, error), kind="bad_market_data"))
    return works, failed


def _reader(
    ideas: Sequence[_Idea], facts: Mapping[str, RiskFacts], cache: MarketCache, now: datetime
) -> Callable[[_Idea], Views]:
    """Read the shard's market data at once, and return what gives each idea its part of it.

    When something in it cannot be read, each idea reads for itself: only those fail that look at it. Raises
    Connectivity when the cache does not answer.
    """
    try:
        views = cache.views(_wanted(ideas, facts), now)
    except Connectivity:
        raise
    except Exception:  # whatever is wrong with one instrument must not touch the others
        logger.exception("market data of the shard cannot be read at once")
        return lambda idea: cache.views(_wanted([idea], facts), now)
    return lambda _: views


def _unusable(idea: _Idea, error: Exception) -> str:
    return f"market data of {', '.join(idea.keys)}: {type(error).__name__}: {error}"


def _ideas(ticks: Sequence[Tick]) -> tuple[list[_Idea], list[Failed]]:
    links = _links(ticks)
    ideas, failed = [], []
    for tick in ticks:
        strategy = tick.strategy
        try:
            ideas.append(_idea(tick, links.get(strategy.pk, [])))
        except Exception as error:  # whatever is wrong with one strategy must not touch the others
            logger.exception("strategy %s cannot be loaded", strategy.slug, extra=said(**about(tick)))
            failed.append(Failed(tick, f"{type(error).__name__}: {error}", kind="load_failed"))
    return ideas, failed


def _idea(tick: Tick, links: Sequence[StrategyInstrument]) -> _Idea:
    strategy = tick.strategy
    loaded = load(strategy.kind, strategy.parameters)
    instruments = {link.instrument.key: link.instrument.to_domain() for link in links if link.stands_in_for_id is None}
    needs = loaded.strategy.needs(loaded.parameters, tuple(instruments.values()))
    scope = _scope(tick, loaded, links)
    outlets = outlets_of(links, scope, Routing(strategy.routing))
    ids = {link.instrument.key: link.instrument_id for link in links}
    return _Idea(tick, loaded, needs, ids, instruments, scope, outlets, scopes_abroad(links, scope))


def _links(ticks: Sequence[Tick]) -> dict[int, list[StrategyInstrument]]:
    found: dict[int, list[StrategyInstrument]] = {}
    links = StrategyInstrument.objects.filter(strategy__in=[tick.strategy_id for tick in ticks])
    for link in links.select_related("instrument", "account__venue").order_by("pk"):
        found.setdefault(link.strategy_id, []).append(link)
    return found


def _scope(tick: Tick, loaded: Loaded, links: Sequence[StrategyInstrument]) -> StrategyScope:
    strategy = tick.strategy
    account = strategy.account
    # Real money on any of its accounts asks for what real money asks for.
    reached = {Environment(place.venue.environment) for place in (account, *(link.account for link in links))}
    environment = Environment.LIVE if Environment.LIVE in reached else Environment(account.venue.environment)
    return StrategyScope(
        strategy=strategy.slug,
        account_id=account.pk,
        account=account.code,
        portfolio=account.portfolio_id,
        venue=account.venue_id,
        currency=account.currency,
        capital=strategy.capital * strategy.capital_share - strategy.profit_elsewhere,
        leverage=strategy.leverage,
        only_reduces=why_not(strategy, environment, loaded.code_hash),
        fees=fees_at(account.venue),
    )


def _wanted(ideas: Sequence[_Idea], facts: Mapping[str, RiskFacts]) -> dict[str, Wanted]:
    """Return one wish per instrument that covers every strategy and how it is sized; the book is always read."""
    bars: dict[str, dict[timedelta, int]] = {}
    for idea in ideas:
        looked_at = (idea.needs.bars, facts[idea.scope.strategy].sizing.needs)
        for key in idea.keys:
            counts = bars.setdefault(key, {})
            for interval, count in (pair for needs in looked_at for pair in needs.items()):
                counts[interval] = max(counts.get(interval, 0), count)
    return {key: Wanted(counts, book=True) for key, counts in bars.items()}


def _work(idea: _Idea, books: _Books, views: Views, now: datetime) -> Work:
    scope = idea.scope
    holdings = books.holdings.get(scope.strategy, {})
    facts = books.facts[scope.strategy]
    elsewhere = {key: facts.at(at) for key, at in idea.elsewhere.items()}
    outlets = Outlets(
        Routing(idea.tick.strategy.routing), idea.outlets, books.troubled.down, elsewhere, books.troubled.degraded
    )
    traded = tuple(dict.fromkeys((*idea.instruments, *elsewhere)))
    prices = {key: reference_price(views.get(key, NEVER_HEARD)) for key in traded}
    seen_as = {home: outlet.key for home in idea.outlets if (outlet := _speaks_for(home, outlets, prices)) is not None}
    prices |= {home: prices[key] for home, key in seen_as.items()}
    shown = {
        key: _as_asked(views.get(seen_as.get(key, key), NEVER_HEARD), idea.needs)
        for key in dict.fromkeys((*idea.needs.instruments, *idea.instruments))
    }
    equity = strategy_equity(scope.capital, holdings, prices)
    markets = [
        views.get(seen_as.get(key, key), NEVER_HEARD).bars.get(facts.sizing.interval) for key in idea.instruments
    ]
    size = size_allowed(facts, float(equity), markets, now)
    return Work(
        tick=idea.tick,
        loaded=idea.loaded,
        scope=scope,
        instruments=idea.instruments,
        instrument_ids=idea.instrument_ids,
        view=MarketView(now, shown),
        ages={key: views.get(key, NEVER_HEARD).age for key in traded},
        prices=prices,
        books={key: views.get(key, NEVER_HEARD).book for key in traded},
        own=OwnPosition(_own(holdings, idea.outlets), float(equity), size.told),
        holdings=holdings,
        account_net=_nets(idea, books.account_net),
        working=tuple(books.working.get(scope.strategy, ())),
        facts=facts,
        outlets=outlets,
        allowed=size,
    )


def size_allowed(facts: RiskFacts, equity: float, markets: Iterable[BarSeries | None], now: datetime) -> Allowed:
    """Return what a weight of 1 stands for while the strategy is worth `equity` and its markets have these bars."""
    moves = movement(facts.sizing, markets, now)
    readings = Readings(
        equity=equity,
        drawdown=None if facts.strategy_drawdown is None else float(facts.strategy_drawdown),
        volatility=moves.volatility,
        true_range=moves.true_range,
        trades=facts.trades,
        portfolio_equity=None if facts.portfolio_equity is None else float(facts.portfolio_equity),
        peers=facts.peers,
    )
    return allowed(facts.sizing, readings, float(facts.scope.leverage))


def _speaks_for(home: str, outlets: Outlets, prices: Mapping[str, Price | None]) -> Outlet | None:
    """Return the stand-in whose market the strategy is shown while the venue at home does not answer."""
    usable = outlets.usable(home)
    if any(outlet.key == home for outlet in usable):
        return None
    well_first = sorted(usable, key=outlets.is_degraded)
    return next((outlet for outlet in well_first if prices[outlet.key] is not None), None)


def _own(holdings: Mapping[str, Holding], outlets: Mapping[str, tuple[Outlet, ...]]) -> dict[str, Holding]:
    """Return what the strategy holds by the instruments it names: one amount, wherever it is held."""
    own = dict(holdings)
    for home, places in outlets.items():
        parts = [holdings[outlet.key] for outlet in places if outlet.key in holdings]
        if parts:
            own[home] = sum(parts[1:], parts[0])
    return own


def _nets(idea: _Idea, nets: Mapping[int, Mapping[str, Decimal]]) -> dict[str, Decimal]:
    found = dict(nets.get(idea.scope.account_id, {}))
    for key, scope in idea.elsewhere.items():
        net = nets.get(scope.account_id, {}).get(key)
        if net is not None:
            found[key] = net
    return found


def _as_asked(seen: InstrumentView, needs: Needs) -> InstrumentView:
    """Return the part of a shared view that this strategy asked for: what it did not ask for it does not see."""
    bars = {}
    for interval, count in needs.bars.items():
        series = seen.bars.get(interval)
        if series is not None:
            bars[interval] = series.tail(count) if len(series) > count else series
    book = seen.book if needs.book else None
    return InstrumentView(bars, book, seen.mark_price, seen.age, seen.funding_rate, seen.mark_age)


def reference_price(seen: InstrumentView) -> Price | None:
    """Return the middle of the book, else the venue's mark; None when neither has been heard."""
    if seen.book is not None and seen.book.bids and seen.book.asks:
        return Price(Decimal(repr(float(seen.book.mid))))
    return None if seen.mark_price is None or not seen.mark_price > 0 else Price(Decimal(repr(float(seen.mark_price))))


def strategy_equity(capital: Decimal, holdings: Mapping[str, Holding], prices: Mapping[str, Price | None]) -> Decimal:
    """Return the capital plus the strategy's own profit; an open position without a price stands at its cost."""
    total = capital
    for key, holding in holdings.items():
        price = prices.get(key)
        mark = price.value if price is not None else None
        total += holding.realised + holding.funding - holding.fees
        total += holding.unrealised(mark) if mark is not None else Decimal(0)
    return total
