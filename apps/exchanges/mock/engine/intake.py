"""From request to book: builds an order, asks every check, matches it and answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from apps.exchanges.mock.engine.accounts import Account
from apps.exchanges.mock.engine.api import (
    Ack,
    CancelReason,
    Filled,
    Grouping,
    NewOrder,
    RejectCode,
    Rejected,
    Resting,
    Tif,
    WaitingForFill,
    WaitingForTrigger,
)
from apps.exchanges.mock.engine.brackets import Bracket
from apps.exchanges.mock.engine.checks import Draft, drafted
from apps.exchanges.mock.engine.holds import tie_up
from apps.exchanges.mock.engine.lifecycle import Lifecycle
from apps.exchanges.mock.engine.market import Market
from apps.exchanges.mock.engine.matching import Matcher, fits_position
from apps.exchanges.mock.engine.orders import Order, Place
from apps.exchanges.mock.engine.venue import Venue


class Intake:
    """Places and replaces orders."""

    __slots__ = ("_lifecycle", "_matcher", "_venue")

    def __init__(self, venue: Venue, lifecycle: Lifecycle, matcher: Matcher) -> None:
        self._venue = venue
        self._lifecycle = lifecycle
        self._matcher = matcher

    def place(self, account: Account, orders: Sequence[NewOrder], grouping: Grouping) -> list[Ack]:
        """Place `orders` one after the other; one answer each."""
        if grouping is Grouping.NORMAL_TPSL and orders:
            return self._place_bracket(account, orders[0], orders[1:])
        if grouping is Grouping.POSITION_TPSL:
            bracket = Bracket(None)
            return [self._place_position_leg(account, new, bracket) for new in orders]
        return [self._place_one(account, new) for new in orders]

    def replace(self, account: Account, old: Order, new: NewOrder) -> Ack:
        """Put `new` in the place of `old`; when it is refused, `old` stays as it was."""
        if old.market.coin != new.coin:
            return Rejected(RejectCode.CANNOT_MODIFY, f"order {old.oid} is of {old.market.coin}, not {new.coin}")
        order = self._build(account, new)
        if isinstance(order, Rejected):
            return order
        order.position_tpsl = old.position_tpsl
        order.reduce_only = order.reduce_only or old.position_tpsl
        refusal = self._refusal_beside(old, order)
        if refusal is not None:
            return refusal
        held_back = old.place is Place.BEHIND_PARENT
        if old.bracket is not None:
            old.bracket.replace(old, order)
        self._lifecycle.cancel(old, CancelReason.USER)
        return self._hold(order, Place.BEHIND_PARENT) if held_back else self._enter(order)

    def amend(self, order: Order, px: int | None, remaining: int | None, trigger_px: int | None) -> Ack:
        """Change `order` in place; it keeps its id. When the change is refused, it stays as it was.

        Its place in the queue is kept only when nothing but its size shrinks.
        """
        new_px = order.px if px is None else px
        left = order.remaining if remaining is None else remaining
        if order.place is Place.BOOK and new_px == order.px and left <= order.remaining:
            if left < order.remaining:
                by = order.remaining - left
                self._lifecycle.reduce(order, by)
                order.size -= by
                self._lifecycle.announce(order)
            return Resting(order.oid, order.cloid)
        held, had = order.place, (order.px, order.size, order.remaining, order.trigger_px)
        self._lifecycle.withdraw(order)
        order.px, order.size, order.remaining = new_px, order.size - order.remaining + left, left
        order.trigger_px = order.trigger_px if trigger_px is None else trigger_px
        refusal = self._refusal_of_change(order, held)
        if refusal is not None:
            order.px, order.size, order.remaining, order.trigger_px = had
        if refusal is not None or held is not Place.BOOK:
            self._put_back(order, held)
            return refusal or WaitingForTrigger(order.oid, order.cloid)
        return self._enter(order)

    def _refusal_of_change(self, order: Order, held: Place) -> Rejected | None:
        if held is not Place.BOOK:
            return self._bad_trigger(order) if held is Place.TRIGGERS else None
        cloid, order.cloid = order.cloid, None
        refusal = self._refusal(order)
        order.cloid = cloid
        return refusal

    def _put_back(self, order: Order, held: Place) -> None:
        if held is Place.BOOK:
            self._lifecycle.rest(order)
        else:
            self._lifecycle.hold(order, held)

    def _refusal_beside(self, old: Order, order: Order) -> Rejected | None:
        """Return why `order` would be refused if `old` were gone."""
        account, resting = order.account, old.remaining if old.place is Place.BOOK else 0
        tie_up(old, -resting)
        known = account.cloids.pop(old.cloid, None) if old.cloid is not None else None
        refusal = self._refusal(order)
        if known is not None and old.cloid is not None:
            account.cloids[old.cloid] = known
        tie_up(old, resting)
        return refusal

    def _place_one(self, account: Account, new: NewOrder) -> Ack:
        order = self._build(account, new)
        return order if isinstance(order, Rejected) else self._try(order)

    def _place_bracket(self, account: Account, new: NewOrder, children: Sequence[NewOrder]) -> list[Ack]:
        parent = self._build(account, new)
        if isinstance(parent, Rejected):
            return [parent, *(Rejected(RejectCode.PARENT_REJECTED) for _ in children)]
        bracket = Bracket(parent)
        parent.bracket = bracket
        answer = self._try(parent)
        if isinstance(answer, Rejected):
            return [answer, *(Rejected(RejectCode.PARENT_REJECTED) for _ in children)]
        return [answer, *(self._place_leg(account, child, bracket) for child in children)]

    def _place_leg(self, account: Account, new: NewOrder, bracket: Bracket) -> Ack:
        leg = self._build(account, new)
        if isinstance(leg, Rejected):
            return leg
        if leg.trigger is None:
            return self._refuse(leg, Rejected(RejectCode.BAD_TRIGGER_PRICE, "a leg needs a trigger"))
        if self._duplicate(leg):
            return self._refuse(leg, Rejected(RejectCode.DUPLICATE_CLOID, f"cloid {leg.cloid} is live"))
        bracket.join(leg)
        return self._hold(leg, Place.BEHIND_PARENT if bracket.parent is not None else Place.TRIGGERS)

    def _place_position_leg(self, account: Account, new: NewOrder, bracket: Bracket) -> Ack:
        held = abs(account.size_of(new.coin))
        market = self._venue.markets.get(new.coin)
        if market is None or new.trigger is None:
            return Rejected(RejectCode.BAD_TRIGGER_PRICE, "a position order needs a coin and a trigger")
        if not held:
            return Rejected(RejectCode.REDUCE_ONLY, f"no position in {new.coin}")
        whole = replace(new, size=market.grid.size(held), reduce_only=True)
        leg = self._build(account, whole)
        if isinstance(leg, Rejected):
            return leg
        leg.position_tpsl = True
        answer = self._try(leg)
        if not isinstance(answer, Rejected):
            bracket.join(leg)
        return answer

    def _build(self, account: Account, new: NewOrder) -> Order | Rejected:
        market = self._venue.markets.get(new.coin)
        if market is None:
            return Rejected(RejectCode.UNKNOWN_COIN, f"coin {new.coin}")
        draft = drafted(new, market)
        return draft if isinstance(draft, Rejected) else self._order(account, market, new, draft)

    def _order(self, account: Account, market: Market, new: NewOrder, draft: Draft) -> Order:
        return Order(
            oid=self._venue.next_oid(),
            account=account,
            market=market,
            is_buy=new.is_buy,
            px=draft.px,
            size=draft.size,
            tif=_tif(new),
            reduce_only=new.reduce_only,
            cloid=new.cloid,
            placed_ms=self._venue.now_ms,
            trigger=new.trigger,
            trigger_px=draft.trigger_px,
            self_trade=new.self_trade,
            expires_ms=new.expires_ms,
            builder_ppm=new.builder_ppm,
        )

    def _try(self, order: Order) -> Ack:
        refusal = self._full(order) or self._late(order) or self._refusal(order)
        return self._enter(order) if refusal is None else self._refuse(order, refusal)

    def _refuse(self, order: Order, refusal: Rejected) -> Rejected:
        self._lifecycle.refuse(order, refusal.code)
        return replace(refusal, oid=order.oid)

    def _full(self, order: Order) -> Rejected | None:
        count = len(order.account.live)
        if count < self._venue.config.max_open_orders:
            return None
        return Rejected(RejectCode.TOO_MANY_OPEN_ORDERS, f"{count} orders are open")

    def _late(self, order: Order) -> Rejected | None:
        if order.expires_ms is None or order.expires_ms > self._venue.now_ms:
            return None
        return Rejected(RejectCode.ALREADY_EXPIRED, f"{order.expires_ms} is not after {self._venue.now_ms}")

    def _refusal(self, order: Order) -> Rejected | None:
        if self._duplicate(order):
            return Rejected(RejectCode.DUPLICATE_CLOID, f"cloid {order.cloid} is live")
        if order.trigger is not None:
            return self._bad_trigger(order)
        if order.reduce_only and not fits_position(order):
            return Rejected(RejectCode.REDUCE_ONLY, "no position to reduce")
        if order.tif is Tif.ALO and order.market.book.would_cross(order):
            return self._bad_post_only(order)
        if not order.reduce_only and not self._matcher.bears(order):
            return _not_borne(order)
        return None

    def _bad_trigger(self, order: Order) -> Rejected | None:
        if not order.triggered_by(order.market.mark):
            return None
        mark = order.market.grid.price(order.market.mark)
        return Rejected(RejectCode.BAD_TRIGGER_PRICE, f"the mark {mark} is already beyond the trigger")

    def _bad_post_only(self, order: Order) -> Rejected:
        market = order.market
        bid, ask = market.book.bids.best_px(), market.book.asks.best_px()
        return Rejected(
            RejectCode.BAD_ALO_PRICE,
            "post-only order would have matched",
            best_bid=None if bid is None else market.grid.price(bid),
            best_ask=None if ask is None else market.grid.price(ask),
        )

    def _duplicate(self, order: Order) -> bool:
        if order.cloid is None:
            return False
        known = order.account.cloids.get(order.cloid)
        return known is not None and known.oid in order.account.live

    def _hold(self, order: Order, place: Place) -> Ack:
        order.account.admit(order)
        self._lifecycle.hold(order, place)
        if place is Place.TRIGGERS:
            return WaitingForTrigger(order.oid, order.cloid)
        return WaitingForFill(order.oid, order.cloid)

    def _enter(self, order: Order) -> Ack:
        if order.trigger is not None:
            return self._hold(order, Place.TRIGGERS)
        order.account.admit(order)
        if order.tif is Tif.FOK and not self._matcher.can_fill(order):
            return self._refuse(order, Rejected(RejectCode.FOK_NO_MATCH, "not all of it can be matched at this price"))
        if not self._matcher.run(order):
            code = RejectCode.NO_LIQUIDITY if order.tif is Tif.FRONTEND_MARKET else RejectCode.IOC_NO_MATCH
            return self._refuse(order, Rejected(code, "nothing to match at this price"))
        if order.place is Place.BOOK:
            return Resting(order.oid, order.cloid)
        grid = order.market.grid
        if not order.filled:
            return Filled(order.oid, order.cloid, Decimal(0), Decimal(0))
        return Filled(order.oid, order.cloid, grid.size(order.filled), grid.average(order.notional, order.filled))


def _not_borne(order: Order) -> Rejected:
    if order.market.base is None:
        return Rejected(RejectCode.INSUFFICIENT_MARGIN, "the account cannot carry it")
    spec = order.market.spec
    asset = spec.quote if order.is_buy else spec.base
    return Rejected(RejectCode.INSUFFICIENT_BALANCE, f"not enough {asset} is free")


def _tif(new: NewOrder) -> Tif:
    if new.trigger is None:
        return new.tif
    return Tif.IOC if new.trigger.is_market else Tif.GTC
