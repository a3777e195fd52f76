"""Place an order by hand: reviewed, reserved and recorded as a strategy's order is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from apps.exchanges import selectors
from apps.exchanges.market_data.cache import NEVER_HEARD, MarketCache, Wanted, market_cache
from apps.exchanges.models import Account, InstrumentRow, Order
from apps.exchanges.orders.services import OrderEntry, orders_record, wake_accounts
from apps.risk.exposure import ReserveItem, reserve
from apps.risk.facts import RiskFacts, load_facts
from apps.risk.review import Reviewed, ReviewMarket, review
from apps.risk.scope import StrategyScope
from apps.strategies.by_hand.desks import desk_scope
from apps.strategies.models import StrategyEvent, StrategyInstrument
from apps.strategies.orchestrator.deadlines import REDUCING_VALID, real_time_from
from apps.strategies.orchestrator.load import reference_price
from moondev.domain.clock import Clock, process_clock
from moondev.domain.decisions import RefusalCode, RiskApproved, RiskRefused
from moondev.domain.errors import InvalidValue
from moondev.domain.instruments import Rounding
from moondev.domain.orders import NON_FINAL, OrderType, PlaceOrder, Purpose, TimeInForce
from moondev.domain.values import Bps, Price, Quantity, Side

# How far from the middle an order at the market may trade unless its price says so, and how long an order that opens
# stays worth sending, in real time.
MARKET_SLIPPAGE = Bps(Decimal(50))
OPENING_VALID = timedelta(seconds=15)
SOURCE = "hand"
BY_HAND = "order by hand"


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a person wants: `price` None is an order at the market; `stop` and `take_profit` protect what it opens.

    `client_order_id` makes it one order however often it is asked for.
    """

    client_order_id: UUID
    side: Side
    quantity: Quantity
    price: Price | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    stop: Price | None = None
    take_profit: Price | None = None


@dataclass(frozen=True, slots=True)
class _Seen:
    """What an order by hand is judged by."""

    scope: StrategyScope
    facts: RiskFacts
    market: ReviewMarket
    mid: Price | None


def order_place(
    ticket: Ticket,
    *,
    account: Account,
    instrument: InstrumentRow,
    reason: str,
    actor: str,
    clock: Clock | None = None,
    cache: MarketCache | None = None,
) -> list[Order]:
    """Place an order for a person and return its rows: two when it closes one position and opens the opposite.

    An order that was asked for before is returned as it is now. One that the review refuses is a row too, with the
    reason. Raises InvalidValue for what cannot be asked at all: no reason, an instrument of another venue, one that an
    enabled strategy trades on this account, a market nobody hears of, the id of another order.
    """
    clock = clock or process_clock()
    known = list(Order.objects.filter(client_order_id=ticket.client_order_id))
    if known:
        _require_same(known, ticket, account, instrument)
        return known
    _require(account, instrument, reason)
    seen = _look(account, instrument, clock, cache or market_cache())
    request = _request(ticket, instrument, seen.mid)
    reviewed = _held_back(review([request], seen.market, seen.facts), account, instrument)
    return _record(reviewed, seen, instrument, f"by {actor}: {reason}", clock)


def _require_same(known: list[Order], ticket: Ticket, account: Account, instrument: InstrumentRow) -> None:
    """Refuse another order under an id that one has: who is told of that one would take it for placed."""
    asked = (account.pk, instrument.pk, ticket.side.value)
    for row in known:
        if (row.account_id, row.instrument_id, row.side) != asked:
            words = f"one that no other order has: it is that of order {row.pk}, a {row.side} of {row.instrument}"
            raise InvalidValue("key", str(ticket.client_order_id), words)


def _require(account: Account, instrument: InstrumentRow, reason: str) -> None:
    if not reason.strip():
        raise InvalidValue("reason", reason, "a sentence that says why")
    if instrument.venue_id != account.venue_id:
        raise InvalidValue("instrument", instrument.key, f"one of {account.venue_id}, where {account.code} is")
    if not account.enabled:
        raise InvalidValue("account", account.code, "an enabled account")
    owners = StrategyInstrument.objects.filter(
        account=account, instrument=instrument, exclusive=True, strategy__enabled=True, strategy__paused_reason=""
    )
    owner = owners.values_list("strategy__slug", flat=True).first()
    if owner is not None:
        raise InvalidValue("instrument", instrument.key, f"one that no running strategy has to itself; {owner} does")


def _look(account: Account, instrument: InstrumentRow, clock: Clock, cache: MarketCache) -> _Seen:
    """Read what the review wants to know, orders before positions as a tick does."""
    now, scope, key = clock.now(), desk_scope(account), instrument.key
    working = selectors.working_orders([scope.strategy])[scope.strategy]
    holdings = selectors.holdings([scope.strategy])[scope.strategy]
    net = selectors.account_net([account.pk]).get(account.pk, {})
    facts = load_facts([scope], now)[scope.strategy]
    view = cache.views({key: Wanted({}, book=True)}, now).get(key, NEVER_HEARD)
    mid = reference_price(view)
    market = ReviewMarket(
        now=now,
        instruments={key: instrument.to_domain()},
        mids={key: None if mid is None else float(mid.value)},
        ages={key: None if view.age == timedelta.max else view.age},
        holdings=holdings,
        account_net=net,
        working=working,
    )
    return _Seen(scope, facts, market, mid)


def _request(ticket: Ticket, instrument: InstrumentRow, mid: Price | None) -> PlaceOrder:
    at_market = ticket.price is None
    return PlaceOrder(
        client_order_id=ticket.client_order_id,
        instrument=instrument.key,
        side=ticket.side,
        order_type=OrderType.MARKET if at_market else OrderType.LIMIT,
        time_in_force=TimeInForce.IOC if at_market else ticket.time_in_force,
        quantity=ticket.quantity,
        price=ticket.price or _worst(ticket.side, instrument, mid),
        purpose=Purpose.OPENING,  # the review cuts off what reduces
        signal_id=SOURCE,
        leg=SOURCE,
        stop=ticket.stop,
        take_profit=ticket.take_profit,
    )


def _worst(side: Side, instrument: InstrumentRow, mid: Price | None) -> Price:
    if mid is None:
        raise InvalidValue("price", None, f"a price: nobody hears the market of {instrument.key}, so it has none now")
    grid = instrument.to_domain().price_grid
    return grid.rounded(mid.moved(Bps(MARKET_SLIPPAGE.value * side.sign)).value, Rounding.passive(side))


def _held_back(reviewed: Reviewed, account: Account, instrument: InstrumentRow) -> Reviewed:
    """Refuse what would open against an order of anybody else on the account: the review sees the desk's own."""
    kept, refused = [], list(reviewed.refused)
    for approved in reviewed.approved:
        request = approved.request
        opens = isinstance(request, PlaceOrder) and not request.purpose.reduces
        if isinstance(request, PlaceOrder) and opens and (met := _met(request, account, instrument)) is not None:
            refused.append(RiskRefused(request, RefusalCode.SELF_TRADE, met, request.price.value))
        else:
            kept.append(approved)
    return Reviewed(kept, reviewed.cancels, refused)


def _met(request: PlaceOrder, account: Account, instrument: InstrumentRow) -> Decimal | None:
    """Return the price of an order of anybody on this account that `request` would trade with."""
    beyond = "price__lte" if request.side is Side.BUY else "price__gte"
    others = Order.objects.filter(
        account=account, instrument=instrument, status__in=sorted(NON_FINAL), side=request.side.opposite.value,
        trigger_price=None, **{beyond: request.price.value},
    )  # fmt: skip
    return others.values_list("price", flat=True).first()


@transaction.atomic
def _record(reviewed: Reviewed, seen: _Seen, instrument: InstrumentRow, words: str, clock: Clock) -> list[Order]:
    now, scope, domain = clock.now(), seen.scope, instrument.to_domain()
    mid = None if seen.mid is None else seen.mid.value
    places = [one for one in reviewed.approved if isinstance(one.request, PlaceOrder)]
    reserved = reserve([ReserveItem(scope, one, domain, mid) for one in places], {scope.strategy: seen.facts})
    outcomes: list[tuple[RiskApproved[PlaceOrder] | RiskRefused, Decimal]] = [
        *reserved.kept, *((one, Decimal(0)) for one in (*reviewed.refused, *reserved.refused)),
    ]  # fmt: skip
    entries = [
        OrderEntry(
            outcome=outcome,
            account_id=scope.account_id,
            instrument_id=instrument.pk,
            strategy=scope.strategy,
            tick_id=SOURCE,
            reserved=amount,
            valid_until=real_time_from(clock, now, REDUCING_VALID if _reduces(outcome) else OPENING_VALID),
            arrival_price=mid,
        )
        for outcome, amount in outcomes
    ]
    recorded = orders_record(entries=entries, commands=[], now=now, source=SOURCE)
    rows = list(Order.objects.filter(pk__in=recorded.order_ids.values()).order_by("pk"))
    told = "; ".join(f"{row.side} {row.quantity.normalize():f} {instrument.key} {row.status}" for row in rows)
    StrategyEvent.objects.create(strategy=scope.strategy, at=now, kind=BY_HAND, message=f"{words}: {told}")
    wake_accounts(recorded.account_ids_with_work)
    return rows


def _reduces(outcome: RiskApproved[PlaceOrder] | RiskRefused) -> bool:
    return isinstance(outcome.request, PlaceOrder) and outcome.request.purpose.reduces
