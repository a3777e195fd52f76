"""Reads everything a shard of ticks is decided on, in a number of queries that does not grow with it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from apps.exchanges import selectors
from apps.exchanges.market_data.cache import NEVER_HEARD, MarketCache, Wanted
from apps.exchanges.models import InstrumentRow
from apps.risk.facts import RiskFacts, load_facts
from apps.risk.scope import StrategyScope
from apps.strategies.base import OwnPosition
from apps.strategies.models import StrategyInstrument, Tick
from apps.strategies.orchestrator.loader import Loaded, load
from apps.strategies.orchestrator.work import Failed, Work
from moondev.domain.errors import Connectivity
from moondev.domain.instruments import Instrument
from moondev.domain.market_data import InstrumentView, MarketView, Needs
from moondev.domain.orders import WorkingOrder
from moondev.domain.portfolio import Holding
from moondev.domain.values import Price

logger = logging.getLogger(__name__)

Views = Mapping[str, InstrumentView]


@dataclass(frozen=True, slots=True)
class _Idea:
    """A tick whose code and parameters are there, and what it wants to see."""

    tick: Tick
    loaded: Loaded
    needs: Needs
    rows: Mapping[str, InstrumentRow]
    instruments: Mapping[str, Instrument]


@dataclass(frozen=True, slots=True)
class _Books:
    """The shard's books: each by strategy, or by account."""

    working: Mapping[str, list[WorkingOrder]]
    holdings: Mapping[str, Mapping[str, Holding]]
    account_net: Mapping[int, Mapping[str, Decimal]]
    facts: Mapping[str, RiskFacts]


def load_shard(ticks: Sequence[Tick], cache: MarketCache, now: datetime) -> tuple[list[Work], list[Failed]]:
    """Return the work of every tick that can be run, and the failures of those that cannot."""
    ideas, failed = _ideas(ticks)
    if not ideas:
        return [], failed
    scopes = {idea.tick.strategy.slug: _scope(idea) for idea in ideas}
    # Orders before positions: a fill in between is then counted twice, which trades too little for one tick; the
    # other way round it would be counted nowhere, and the order placed again.
    working = selectors.working_orders(list(scopes))
    books = _Books(
        working,
        selectors.holdings(list(scopes)),
        selectors.account_net({scope.account_id for scope in scopes.values()}),
        load_facts(list(scopes.values()), now),
    )
    try:
        read = _reader(ideas, cache, now)
    except Connectivity as error:
        return [], [*failed, *(Failed(idea.tick, str(error), kind="no_market_data") for idea in ideas)]
    works = []
    for idea in ideas:
        try:
            works.append(_work(idea, scopes[idea.tick.strategy.slug], books, read(idea), now))
        except Exception as error:  # data that makes no sense fails those who look at it, and nobody else
            logger.exception("what strategy %s looks at cannot be used", idea.tick.strategy.slug)
            failed.append(Failed(idea.tick, _unusable(idea, error), kind="bad_market_data"))
    return works, failed


def _reader(ideas: Sequence[_Idea], cache: MarketCache, now: datetime) -> Callable[[_Idea], Views]:
    """Read the shard's market data at once, and return what gives each idea its part of it.

    When something in it cannot be read, each idea reads for itself: only those fail that look at it. Raises
    Connectivity when the cache does not answer.
    """
    try:
        views = cache.views(_wanted(ideas), now)
    except Connectivity:
        raise
    except Exception:  # whatever is wrong with one instrument must not touch the others
        logger.exception("market data of the shard cannot be read at once")
        return lambda idea: cache.views(_wanted([idea]), now)
    return lambda _: views


def _unusable(idea: _Idea, error: Exception) -> str:
    looked_at = ", ".join(dict.fromkeys((*idea.needs.instruments, *idea.instruments)))
    return f"market data of {looked_at}: {type(error).__name__}: {error}"


def _ideas(ticks: Sequence[Tick]) -> tuple[list[_Idea], list[Failed]]:
    rows = _instrument_rows(ticks)
    ideas, failed = [], []
    for tick in ticks:
        strategy = tick.strategy
        try:
            loaded = load(strategy.kind, strategy.parameters)
            own = rows.get(strategy.pk, {})
            instruments = {key: row.to_domain() for key, row in own.items()}
            needs = loaded.strategy.needs(loaded.parameters, tuple(instruments.values()))
            ideas.append(_Idea(tick, loaded, needs, own, instruments))
        except Exception as error:  # whatever is wrong with one strategy must not touch the others
            logger.exception("strategy %s cannot be loaded", strategy.slug)
            failed.append(Failed(tick, f"{type(error).__name__}: {error}", kind="load_failed"))
    return ideas, failed


def _instrument_rows(ticks: Sequence[Tick]) -> dict[int, dict[str, InstrumentRow]]:
    found: dict[int, dict[str, InstrumentRow]] = {}
    links = StrategyInstrument.objects.filter(strategy__in=[tick.strategy_id for tick in ticks])
    for link in links.select_related("instrument").order_by("pk"):
        found.setdefault(link.strategy_id, {})[link.instrument.key] = link.instrument
    return found


def _scope(idea: _Idea) -> StrategyScope:
    strategy = idea.tick.strategy
    account = strategy.account
    return StrategyScope(
        strategy=strategy.slug,
        account_id=account.pk,
        account=account.code,
        portfolio=account.portfolio_id,
        venue=account.venue_id,
        currency=account.currency,
        capital=strategy.capital,
        leverage=strategy.leverage,
    )


def _wanted(ideas: Sequence[_Idea]) -> dict[str, Wanted]:
    """Return one wish per instrument that covers every strategy; the book is always read, for its mid."""
    bars: dict[str, dict[timedelta, int]] = {}
    for idea in ideas:
        for key in {*idea.needs.instruments, *idea.instruments}:
            counts = bars.setdefault(key, {})
            for interval, count in idea.needs.bars.items():
                counts[interval] = max(counts.get(interval, 0), count)
    return {key: Wanted(counts, book=True) for key, counts in bars.items()}


def _work(idea: _Idea, scope: StrategyScope, books: _Books, views: Views, now: datetime) -> Work:
    slug = scope.strategy
    holdings = books.holdings.get(slug, {})
    prices = {key: reference_price(views.get(key, NEVER_HEARD)) for key in idea.instruments}
    keys = dict.fromkeys((*idea.needs.instruments, *idea.instruments))
    view = MarketView(now, {key: _as_asked(views.get(key, NEVER_HEARD), idea.needs) for key in keys})
    return Work(
        tick=idea.tick,
        loaded=idea.loaded,
        scope=scope,
        instruments=idea.instruments,
        instrument_ids={key: row.pk for key, row in idea.rows.items()},
        view=view,
        prices=prices,
        books={key: views.get(key, NEVER_HEARD).book for key in idea.instruments},
        own=OwnPosition(holdings, _equity(scope, holdings, prices), float(scope.leverage)),
        holdings=holdings,
        account_net=books.account_net.get(scope.account_id, {}),
        working=tuple(books.working.get(slug, ())),
        facts=books.facts[slug],
    )


def _as_asked(seen: InstrumentView, needs: Needs) -> InstrumentView:
    """Return the part of a shared view that this strategy asked for: what it did not ask for it does not see."""
    bars = {}
    for interval, count in needs.bars.items():
        series = seen.bars.get(interval)
        if series is not None:
            bars[interval] = series.tail(count) if len(series) > count else series
    return InstrumentView(bars, seen.book if needs.book else None, seen.mark_price, seen.age)


def reference_price(seen: InstrumentView) -> Price | None:
    """Return the middle of the book, else the venue's mark; None when neither has been heard."""
    if seen.book is not None and seen.book.bids and seen.book.asks:
        return Price(Decimal(repr(float(seen.book.mid))))
    return None if seen.mark_price is None or not seen.mark_price > 0 else Price(Decimal(repr(float(seen.mark_price))))


def _equity(scope: StrategyScope, holdings: Mapping[str, Holding], prices: Mapping[str, Price | None]) -> float:
    """Return the capital plus the strategy's own profit; an open position without a price stands at its cost."""
    total = scope.capital
    for key, holding in holdings.items():
        price = prices.get(key)
        mark = price.value if price is not None else None
        total += holding.realised + holding.funding - holding.fees
        total += holding.unrealised(mark) if mark is not None else Decimal(0)
    return float(total)
