"""The pure middle of a tick: sizes and plans what was decided, then has it reviewed."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from apps.risk.review import ReviewMarket, review
from apps.risk.together import held_together
from apps.strategies.orchestrator.planner import Rules, Situation, SizedLegs, plan
from apps.strategies.orchestrator.routing import routed
from apps.strategies.orchestrator.sizes import KnownSize, SignalKey, sized
from apps.strategies.orchestrator.standing_down import stood_down
from apps.strategies.orchestrator.work import Decided, Failed, Ready, Work
from moondev.domain.portfolio import Holding
from moondev.domain.values import Bps, Price, SignedQuantity

logger = logging.getLogger(__name__)

FLAT = Holding()


def make_ready(decided: Decided, known: Mapping[SignalKey, KnownSize]) -> Ready | Failed:
    """Return the tick sized, planned and reviewed; Failed when the wish cannot be put into orders."""
    work = decided.work
    started = time.perf_counter()
    try:
        wishes, sizes, notes = sized(decided, known)
        situations = {key: situation(work, key) for key in work.traded}
        sent, where = routed(wishes, work.outlets, situations, work.books)
        made = plan(sent, situations, _rules(work), work.view.now)
        if work.scope.only_reduces:
            made = stood_down(made, [order for order in work.working if order.instrument in work.traded])
        planned = time.perf_counter()
        legs = [{leg.target.instrument for leg in wish.legs} for wish in sent if isinstance(wish, SizedLegs)]
        reviewed = held_together(review(made.requests, _market(work), work.facts, work.outlets.facts), legs)
    except Exception as error:  # a wish that no order can express fails its own tick only
        logger.exception("what %s wants cannot be planned", work.scope.strategy)
        problem, spent = f"{type(error).__name__}: {error}", (decided.decide_ms, decided.overrun)
        return Failed(work.tick, problem, "plan_failed", *spent, work.loaded.code_hash)
    done = time.perf_counter()
    settled = tuple(size for size in sizes if not situations[size.instrument].uncertain)
    stages = {"decide": decided.decide_ms, "plan": (planned - started) * 1000, "review": (done - planned) * 1000}
    return Ready(decided, replace(made, notes=(*made.notes, *notes, *where)), reviewed, settled, stages)


def situation(work: Work, key: str) -> Situation:
    """Return how the strategy stands in one instrument."""
    book = work.books.get(key)
    return Situation(
        instrument=work.traded[key],
        position=SignedQuantity(work.holdings.get(key, FLAT).quantity),
        working=tuple(order for order in work.working if order.instrument == key),
        mid=work.prices[key],
        best_bid=_price(book.bids[0].price) if book is not None and book.bids else None,
        best_ask=_price(book.asks[0].price) if book is not None and book.asks else None,
    )


def _rules(work: Work) -> Rules:
    strategy = work.tick.strategy
    return Rules(strategy.slug, str(work.tick.pk), Bps(strategy.reprice_bps), Bps(strategy.slippage_bps))


def _market(work: Work) -> ReviewMarket:
    return ReviewMarket(
        now=work.view.now,
        instruments=work.traded,
        mids={key: None if price is None else float(price.value) for key, price in work.prices.items()},
        ages={key: _age(age) for key, age in work.ages.items()},
        holdings=work.holdings,
        account_net=work.account_net,
        working=work.working,
    )


def _age(age: timedelta) -> timedelta | None:
    """Return the age of data; None when there is none, which is not the same as old."""
    return None if age == timedelta.max else age


def _price(number: float) -> Price:
    return Price(Decimal(repr(float(number))))
