"""The review: every wish of a strategy passes here, and only what is approved may become an order.

Cancels are never asked anything. Places and amendments go through every check in turn; the first
breach refuses. The review is pure: same arguments, same answer, and nothing is read or written.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from types import MappingProxyType

from apps.risk.checks import CHECKS
from apps.risk.checks.candidate import Breach, Candidate, Check, Tally
from apps.risk.facts import RiskFacts
from apps.risk.split import split_at_zero
from apps.risk.tally import admit, tally_of
from moondev.domain.decisions import RefusalCode, RiskApproved, RiskRefused
from moondev.domain.instruments import Instrument
from moondev.domain.orders import AmendOrder, CancelOrder, OrderRequest, PlaceOrder, WorkingOrder
from moondev.domain.portfolio import Holding
from moondev.domain.values import ZERO

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ReviewMarket:
    """What one strategy holds, has working and sees, by instrument key.

    `account_net` is the signed position of the whole account; a key it lacks means "as the strategy".
    A mid or age of None, or a key without one, means that there is no market data.
    """

    now: datetime
    instruments: Mapping[str, Instrument]
    mids: Mapping[str, float | None]
    ages: Mapping[str, timedelta | None]
    holdings: Mapping[str, Holding]
    account_net: Mapping[str, Decimal]
    working: Sequence[WorkingOrder]


@dataclass(frozen=True, slots=True)
class Reviewed:
    """The answers, in the order of the requests; a request cut at zero has two."""

    approved: list[RiskApproved[PlaceOrder] | RiskApproved[AmendOrder]] = field(default_factory=list)
    cancels: list[CancelOrder] = field(default_factory=list)
    refused: list[RiskRefused] = field(default_factory=list)


def review(
    requests: Sequence[OrderRequest],
    market: ReviewMarket,
    facts: RiskFacts,
    elsewhere: Mapping[str, RiskFacts] = MappingProxyType({}),
) -> Reviewed:
    """Return which of `requests` may be sent, each judged with all those before it in mind.

    `elsewhere` are the facts of instruments (by key) that the strategy trades on another account than its own.
    """
    reviewed = Reviewed()
    tally = tally_of(market.holdings, market.working, market.instruments, requests)
    for request in requests:
        if isinstance(request, CancelOrder):
            reviewed.cancels.append(request)
            continue
        for candidate in _candidates(request, market, elsewhere.get(request.instrument, facts), tally):
            breach = candidate if isinstance(candidate, RiskRefused) else _first_breach(candidate)
            if isinstance(breach, RiskRefused):
                reviewed.refused.append(breach)
            elif isinstance(candidate, Candidate):
                reviewed.approved.append(_approve(candidate.request))
                admit(tally, candidate)
    return reviewed


def _approve(request: PlaceOrder | AmendOrder) -> RiskApproved[PlaceOrder] | RiskApproved[AmendOrder]:
    if isinstance(request, PlaceOrder):
        return RiskApproved(request)
    return RiskApproved(request)


def _candidates(
    request: PlaceOrder | AmendOrder, market: ReviewMarket, facts: RiskFacts, tally: Tally
) -> Iterator[Candidate | RiskRefused]:
    instrument = market.instruments.get(request.instrument)
    if instrument is None:
        known = ", ".join(sorted(market.instruments)) or "none"
        yield RiskRefused(request, RefusalCode.INSTRUMENT_UNKNOWN, known, request.instrument)
    elif isinstance(request, AmendOrder):
        yield _amendment(request, instrument, market, facts, tally)
    else:
        held, net = _positions(request.instrument, market)
        live_exits = tally.reducing.get((request.instrument, request.side), ZERO)
        for part in split_at_zero(request, instrument, held, net, live_exits):
            yield _placement(part, instrument, market, facts, tally)


def _placement(
    order: PlaceOrder, instrument: Instrument, market: ReviewMarket, facts: RiskFacts, tally: Tally
) -> Candidate:
    held, net = _positions(order.instrument, market)
    return Candidate(
        request=order,
        instrument=instrument,
        side=order.side,
        quantity=order.quantity,
        price=order.price,
        trigger_price=order.trigger_price,
        purpose=order.purpose,
        held=held,
        account_net=net,
        mid=_mid(order.instrument, market),
        age=market.ages.get(order.instrument),
        facts=facts,
        tally=tally,
    )


def _amendment(
    request: AmendOrder, instrument: Instrument, market: ReviewMarket, facts: RiskFacts, tally: Tally
) -> Candidate | RiskRefused:
    amended = next((o for o in market.working if o.client_order_id == request.client_order_id), None)
    if amended is None:
        return RiskRefused(request, RefusalCode.ORDER_UNKNOWN, "a working order", str(request.client_order_id))
    held, net = _positions(request.instrument, market)
    return Candidate(
        request=request,
        instrument=instrument,
        side=amended.side,
        quantity=request.remaining,
        price=request.price,
        trigger_price=amended.trigger_price,
        purpose=amended.purpose,
        held=held,
        account_net=net,
        mid=_mid(request.instrument, market),
        age=market.ages.get(request.instrument),
        facts=facts,
        tally=tally,
        amended=amended,
    )


def _first_breach(candidate: Candidate) -> RiskRefused | None:
    for check in CHECKS:
        if candidate.reduces and not check.binds_reducing:
            continue
        breach = _ask(check, candidate)
        if breach is not None:
            return RiskRefused(candidate.request, breach.code, breach.limit, breach.value)
    return None


def _ask(check: Check, candidate: Candidate) -> Breach | None:
    try:
        return check.find(candidate)
    except Exception as error:  # a broken check must neither open a position nor hold an exit back
        logger.exception("check %r raised on %s", check.name, candidate.request)
        return None if candidate.reduces else Breach(RefusalCode.CHECK_FAILED, check.name, repr(error)[:100])


def _positions(instrument: str, market: ReviewMarket) -> tuple[Decimal, Decimal]:
    holding = market.holdings.get(instrument)
    held = holding.quantity if holding else ZERO
    return held, market.account_net.get(instrument, held)


def _mid(instrument: str, market: ReviewMarket) -> Decimal | None:
    """Return the mid as an exact decimal; None unless it is a finite price above zero."""
    mid = market.mids.get(instrument)
    if mid is None or not 0 < mid < float("inf"):
        return None
    return Decimal(repr(float(mid)))  # float(): numpy spells its own type into repr
