"""Books one trade on both accounts: cash, position, fee, fill; and what follows from it."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from apps.exchanges.mock.engine.accounts import ONE_MILLION, Account, Position
from apps.exchanges.mock.engine.api import CancelReason, Fill, ForcedClose
from apps.exchanges.mock.engine.events import UserFill
from apps.exchanges.mock.engine.grid import amount, divided, money
from apps.exchanges.mock.engine.holds import QUOTE_SCALE
from apps.exchanges.mock.engine.lifecycle import Lifecycle
from apps.exchanges.mock.engine.margin import leverage_of
from apps.exchanges.mock.engine.market import Market
from apps.exchanges.mock.engine.orders import Order
from apps.exchanges.mock.engine.tape import Tape
from apps.exchanges.mock.engine.venue import Venue

_NOTHING = Decimal(0)


class _Booked(NamedTuple):
    """What a trade did to one account: holdings before it, profit of what it closed, fee."""

    start: Decimal
    profit: Decimal
    fee: Decimal
    fee_asset: str


class Settlement:
    """Moves money and positions."""

    __slots__ = ("_lifecycle", "_tape", "_venue")

    def __init__(self, venue: Venue, lifecycle: Lifecycle, tape: Tape) -> None:
        self._venue = venue
        self._lifecycle = lifecycle
        self._tape = tape

    def trade(self, taker: Order, maker: Order, size: int) -> None:
        """Execute `size` units between `taker` and `maker` at the maker's price."""
        tid = self._venue.next_tid()
        self._lifecycle.reduce(maker, size)
        taker.remaining -= size
        book = self._book if maker.market.base is None else self._swap
        book(maker, taker, maker.px, size, tid)
        book(taker, taker, maker.px, size, tid)
        self._tape.trade(taker, maker, size, tid)
        if maker.remaining:
            self._lifecycle.announce(maker)
        else:
            self._lifecycle.fill_out(maker)
        self.position_changed(maker.account, maker.market)
        self.position_changed(taker.account, taker.market)

    def exchange(self, leaving: Order, taking: Order, size: int, px: int) -> None:
        """Move a position from one account to another at `px`, outside the book and off the tape."""
        tid = self._venue.next_tid()
        for order in (leaving, taking):
            order.remaining -= size
            self._book(order, leaving, px, size, tid)
            self._lifecycle.fill_out(order)
            self.position_changed(order.account, order.market)

    def position_changed(self, account: Account, market: Market) -> None:
        """Cut or cancel the orders that may only reduce what is left of the position."""
        followers = account.followers.get(market.coin)
        if not followers:
            return
        held = account.size_of(market.coin)
        for order in list(followers.values()):
            if order.oid not in followers:
                continue
            if held == 0 or (held > 0) is order.is_buy:
                self._lifecycle.cancel(order, CancelReason.REDUCE_ONLY)
            elif order.remaining > abs(held) or (
                order.position_tpsl and order.waiting and order.remaining != abs(held)
            ):
                self._lifecycle.cut(order, abs(held))

    def _book(self, order: Order, taker: Order, px: int, size: int, tid: int) -> None:
        account, market = order.account, order.market
        signed = size if order.is_buy else -size
        notional = size * px
        position = account.positions.get(market.coin)
        if position is None:
            position = account.positions[market.coin] = Position()
        start = position.size
        fee = account.fees.on(notional, order, taker)
        isolated = market.coin in account.isolated
        if isolated and not order.liquidation:
            position.move_margin(signed, px, leverage_of(account, market))
        profit = position.apply(signed, px)
        if isolated and order.liquidation:
            # Nothing is given back before the end, so that no loss can reach the rest of the account.
            position.margin += profit - fee
        account.cash -= signed * px + fee
        account.fees_paid += fee
        account.volume += notional
        order.notional += notional
        self._venue.fees_collected += fee
        self._remember_holder(order, position)
        if account.house:
            return
        booked = _Booked(market.grid.size(start), money(profit), money(fee), market.spec.quote)
        self._report(order, taker, px, size, tid, booked)

    def _swap(self, order: Order, taker: Order, px: int, size: int, tid: int) -> None:
        """Exchange base against quote; the fee is taken from what is received."""
        account, spec = order.account, order.market.spec
        base_name = spec.base or ""
        base, quote = account.balance(base_name), account.balance(spec.quote)
        worth, units, start = size * px, size * order.market.base_scale, base.total
        gets, gets_name = (units, base_name) if order.is_buy else (worth * QUOTE_SCALE, spec.quote)
        fee = account.spot_fees.on(gets, order, taker)
        profit = 0
        if order.is_buy:
            quote.give(worth * QUOTE_SCALE)
            base.receive(units - fee, worth * QUOTE_SCALE)
        else:
            profit = worth * QUOTE_SCALE - base.give(units)
            quote.receive(gets - fee)
        account.volume += worth
        order.notional += worth
        collected = self._venue.spot_fees_collected
        collected[gets_name] = collected.get(gets_name, 0) + fee
        if not account.house:
            self._report(order, taker, px, size, tid, _Booked(amount(start), amount(profit), amount(fee), gets_name))

    def _remember_holder(self, order: Order, position: Position) -> None:
        account, market = order.account, order.market
        if position.size:
            market.holders[account.address] = account
            return
        market.holders.pop(account.address, None)
        del account.positions[market.coin]
        if order.liquidation and market.coin in account.isolated and (order.takeover or position.margin < 0):
            self._venue.forfeit(account, position.margin)

    def _report(self, order: Order, taker: Order, px: int, size: int, tid: int, booked: _Booked) -> None:
        grid, account = order.market.grid, order.account
        fill = Fill(
            coin=order.market.coin,
            oid=order.oid,
            cloid=order.cloid,
            tid=tid,
            is_buy=order.is_buy,
            price=grid.price(px),
            size=grid.size(size),
            time_ms=self._venue.now_ms,
            start_position=booked.start,
            closed_pnl=booked.profit,
            fee=booked.fee,
            fee_asset=booked.fee_asset,
            crossed=order is taker,
            liquidation=ForcedClose(grid.price(order.market.mark), order.takeover) if order.liquidation else None,
            builder_fee=_builder_fee(order, px, size),
        )
        account.fills.append(fill)
        self._venue.outbox.add(UserFill(account.address, fill))


def _builder_fee(order: Order, px: int, size: int) -> Decimal:
    """Return what the client's maker gets of a fill, in quote currency."""
    return money(divided(size * px * order.builder_ppm, ONE_MILLION)) if order.builder_ppm else _NOTHING
