"""The engine's front door: one venue with its books, accounts and orders."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from apps.exchanges.mock.engine.account_desk import AccountDesk
from apps.exchanges.mock.engine.api import (
    AccountState,
    Ack,
    AssetContext,
    BookView,
    CancelAck,
    CancelReason,
    Candle,
    Done,
    Fill,
    FundingPayment,
    FundingRate,
    Grouping,
    InstrumentSpec,
    NewOrder,
    OrderSnapshot,
    RejectCode,
    Rejected,
    Trade,
)
from apps.exchanges.mock.engine.cancels import Canceller
from apps.exchanges.mock.engine.events import Listener
from apps.exchanges.mock.engine.feed.port import Feed
from apps.exchanges.mock.engine.funding import Funding
from apps.exchanges.mock.engine.grid import Grid
from apps.exchanges.mock.engine.house import House
from apps.exchanges.mock.engine.intake import Intake
from apps.exchanges.mock.engine.lifecycle import Lifecycle
from apps.exchanges.mock.engine.liquidation import Liquidator
from apps.exchanges.mock.engine.market import Market
from apps.exchanges.mock.engine.marks import Marks
from apps.exchanges.mock.engine.matching import Matcher
from apps.exchanges.mock.engine.queries import MarketQueries
from apps.exchanges.mock.engine.settlement import Settlement
from apps.exchanges.mock.engine.statements import Statements
from apps.exchanges.mock.engine.tape import Tape
from apps.exchanges.mock.engine.venue import EngineConfig, Venue
from moondev.domain.clock import Clock, milliseconds
from moondev.domain.errors import InvalidValue

__all__ = ["EngineConfig", "Exchange"]


def _opened(spec: InstrumentSpec, marks: Mapping[str, Decimal]) -> Market:
    price = marks.get(spec.coin)
    units = None if price is None else Grid.of(spec).price_units(price)
    if units is None:
        raise InvalidValue(f"marks[{spec.coin}]", price, "a price on the instrument's grid")
    return Market(spec, mark=units, oracle=units, last=units)


class Exchange(AccountDesk):
    """One venue: books, accounts, orders. Not thread-safe; call it from one thread."""

    def __init__(
        self,
        specs: Sequence[InstrumentSpec],
        clock: Clock,
        marks: Mapping[str, Decimal],
        config: EngineConfig | None = None,
    ) -> None:
        """Open empty books for `specs`, each with the mark (and oracle) price of `marks`."""
        if not specs:
            raise InvalidValue("specs", specs, "at least one instrument")
        by_id = sorted(specs, key=lambda spec: spec.asset_id)
        markets = {spec.coin: _opened(spec, marks) for spec in by_id}
        self._clock = clock
        super().__init__(Venue(config or EngineConfig(), markets, milliseconds(clock.now())))
        lifecycle, self._tape = Lifecycle(self._venue), Tape(self._venue)
        settlement = Settlement(self._venue, lifecycle, self._tape)
        matcher = Matcher(self._venue, lifecycle, settlement)
        self._intake = Intake(self._venue, lifecycle, matcher)
        self._canceller = Canceller(self._venue, lifecycle)
        liquidator = Liquidator(self._venue, lifecycle, matcher, settlement, self._canceller)
        self._marks = Marks(self._venue, matcher, liquidator)
        self._funding = Funding(self._venue)
        self._queries = MarketQueries(self._venue, self._funding)
        self._statements = Statements(self._venue)
        self._house = House(self._venue, lifecycle, matcher, self._marks, self._tape)
        self._feed: Feed | None = None
        self._feed_paused = False
        self._roll_bars()

    # time and listeners
    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with every event; the returned function ends that."""
        return self._venue.outbox.subscribe(listener)

    def tick(self, now: datetime) -> None:
        """Advance what time drives: feed, funding, scheduled cancels, orders' own ends, bars. Call every 10-50 ms."""
        self._advance_to(milliseconds(now))
        self._roll_bars()
        self._funding.advance()
        self._canceller.fire_schedules()
        self._canceller.expire()
        self._flush()

    def attach(self, feed: Feed) -> None:
        """Let `feed` drive the market from `tick`."""
        if self._feed is not None:
            raise InvalidValue("feed", feed, "one feed per exchange")
        feed.start(self._house, self._begin())
        self._feed = feed
        self._funding.restart()
        self._begin()
        self._flush()

    # orders
    def place(self, address: str, orders: Sequence[NewOrder], grouping: Grouping = Grouping.NA) -> list[Ack]:
        """Place `orders` one after the other; one answer each."""
        self._begin()
        answers = self._intake.place(self._venue.account(address), orders, grouping)
        self._flush()
        return answers

    def cancel(self, address: str, coin: str, oid: int) -> CancelAck:
        """Cancel by order id."""
        return self._cancel(address, coin, oid)

    def cancel_by_cloid(self, address: str, coin: str, cloid: str) -> CancelAck:
        """Cancel by client order id."""
        return self._cancel(address, coin, cloid)

    def modify(self, address: str, order: int | str, new: NewOrder) -> Ack:
        """Replace the order with this oid (int) or cloid (str); the new one has a new oid.

        Rejected leaves the old order as it was.
        """
        self._begin()
        account = self._venue.account(address)
        old = account.find(order)
        if old is None or old.oid not in account.live:
            return Rejected(RejectCode.CANNOT_MODIFY, f"order {order} is not open")
        answer = self._intake.replace(account, old, new)
        self._flush()
        return answer

    def amend(
        self,
        address: str,
        order: int | str,
        *,
        price: Decimal | None = None,
        remaining: Decimal | None = None,
        trigger_px: Decimal | None = None,
    ) -> Ack:
        """Change the order with this oid (int) or cloid (str) in place; it keeps its oid. None leaves a part as it is.

        Rejected leaves the order as it was.
        """
        self._begin()
        account = self._venue.account(address)
        old = account.find(order)
        if old is None or old.oid not in account.live:
            return Rejected(RejectCode.UNKNOWN_ORDER, f"order {order} is not open")
        grid = old.market.grid
        px, trigger = (None if p is None else grid.price_units(p) for p in (price, trigger_px))
        if (price is not None and px is None) or (trigger_px is not None and trigger is None):
            return Rejected(RejectCode.TICK, f"price {price if px is None else trigger_px} is not on the grid")
        left = None if remaining is None else grid.size_units(remaining)
        if remaining is not None and (left is None or left <= 0):
            return Rejected(RejectCode.INVALID_SIZE, f"size {remaining}")
        answer = self._intake.amend(old, px, left, trigger)
        self._flush()
        return answer

    def cancel_all(self, address: str, coin: str | None = None, reason: CancelReason = CancelReason.USER) -> list[int]:
        """Cancel every live order of the account, or those in one coin; return their ids."""
        self._begin()
        account = self._venue.account(address)
        wanted = [order.oid for order in account.live.values() if coin in (None, order.market.coin)]
        self._canceller.cancel_all(account, reason, coin)
        self._flush()
        return wanted

    def schedule_cancel(self, address: str, time_ms: int | None) -> Done | Rejected:
        """Cancel everything at `time_ms` (>= 5 s ahead, <= 10 a UTC day); None unsets."""
        self._begin()
        return self._canceller.schedule(self._venue.account(address), time_ms)

    # queries
    def specs(self) -> tuple[InstrumentSpec, ...]:
        """Return the perpetuals by asset id."""
        return tuple(market.spec for market in self._venue.perps())

    def spot_specs(self) -> tuple[InstrumentSpec, ...]:
        """Return the spot pairs by asset id."""
        return tuple(market.spec for market in self._venue.markets.values() if market.base is not None)

    def book(self, coin: str, depth: int | None = 20) -> BookView:
        """Return the top `depth` prices of each side; None means all."""
        return self._queries.book(coin, depth)

    def order_by_oid(self, address: str, oid: int) -> OrderSnapshot | None:
        """Return the order, live or on record."""
        return self._statements.order(self._venue.account(address), oid)

    def order_by_cloid(self, address: str, cloid: str) -> OrderSnapshot | None:
        """Return the newest order with this client order id, live or on record."""
        return self._statements.order(self._venue.account(address), cloid)

    def open_orders(self, address: str) -> list[OrderSnapshot]:
        """Return resting and waiting orders, oldest first."""
        return self._statements.open_orders(self._venue.account(address))

    def order_history(self, address: str, limit: int = 2_000) -> list[OrderSnapshot]:
        """Return the newest `limit` orders that ended, newest first."""
        return self._statements.order_history(self._venue.account(address), limit)

    def fills(self, address: str, start_ms: int = 0, end_ms: int | None = None) -> list[Fill]:
        """Return fills with start_ms <= time <= end_ms, oldest first; end None is no bound."""
        return self._statements.fills(self._venue.account(address), start_ms, end_ms)

    def trades(self, coin: str, limit: int = 10) -> list[Trade]:
        """Return the newest public trades, newest first."""
        return self._queries.trades(coin, limit)

    def account_state(self, address: str) -> AccountState:
        """Return positions, margin and value at the marks."""
        return self._statements.account_state(self._venue.account(address))

    def candles(self, coin: str, interval: str, start_ms: int, end_ms: int) -> list[Candle]:
        """Return bars that open within [start_ms, end_ms], oldest first, the one in progress too.

        Raises InvalidValue for an interval that is not one of engine.bars.INTERVALS.
        """
        return self._queries.candles(coin, interval, start_ms, end_ms)

    def mids(self) -> dict[str, Decimal]:
        """Return the mid price of every coin (the mark where a side is empty)."""
        return self._queries.mids()

    def mark(self, coin: str) -> Decimal:
        """Return the mark price."""
        market = self._venue.market(coin)
        return market.grid.price(market.mark)

    def asset_context(self, coin: str) -> AssetContext:
        """Return mark, oracle, funding, volumes."""
        return self._queries.asset_context(coin)

    def funding_history(self, coin: str, start_ms: int, end_ms: int | None) -> list[FundingRate]:
        """Return the hourly rates within the span, oldest first."""
        return self._queries.funding_history(coin, start_ms, end_ms)

    def funding_payments(self, address: str, start_ms: int = 0, end_ms: int | None = None) -> list[FundingPayment]:
        """Return this account's funding within the span, oldest first."""
        return self._statements.payments(self._venue.account(address), start_ms, end_ms)

    # scenario control (admin only; pause the feed first)
    def set_mark(self, coin: str, price: Decimal) -> None:
        """Move mark and oracle: triggers fire, accounts below maintenance are liquidated."""
        self._begin()
        market = self._venue.market(coin)
        units = self._price_units(market, price)
        self._marks.move(market, units, units)
        self._flush()

    def print_trade(self, coin: str, size: Decimal, price: Decimal, *, is_buy: bool) -> Decimal:
        """Let the market's own taker buy or sell up to `price`; return the size it got."""
        self._begin()
        market = self._venue.market(coin)
        units = market.grid.size_units(size)
        if units is None or units <= 0:
            raise InvalidValue("size", size, f"above 0 with at most {market.spec.sz_decimals} decimals")
        had = self._house.take(market, self._price_units(market, price), units, is_buy=is_buy)
        self._flush()
        return market.grid.size(had)

    def pay_funding(self) -> None:
        """Let the hour of funding end now, in every market."""
        self._funding.pay(self._begin())
        self._flush()

    @property
    def feed(self) -> Feed | None:
        """Return what drives the market, None when nothing does."""
        return self._feed

    @property
    def feed_paused(self) -> bool:
        """Return whether somebody stopped it."""
        return self._feed_paused

    def pause_feed(self) -> None:
        """Stop the market feed where it is."""
        self._feed_paused = True

    def resume_feed(self) -> None:
        """Let the market feed go on from now."""
        if self._feed is not None and self._feed_paused:
            self._feed.skip_to(self._begin())
        self._feed_paused = False

    def house(self) -> House:
        """Return the market's own desk, for feeds and scenarios."""
        return self._house

    def _begin(self) -> int:
        """Let the request happen now, after everything the feed has due; return that time."""
        self._advance_to(milliseconds(self._clock.now()))
        return self._venue.now_ms

    def _advance_to(self, time_ms: int) -> None:
        # Time runs only as far as the feed has come, so that no print ever falls into a later bar.
        if self._feed is not None and not self._feed_paused:
            time_ms = self._feed.advance(time_ms)
        self._house.at(time_ms)

    def _flush(self) -> None:
        self._venue.outbox.flush(self._venue.now_ms)

    def _cancel(self, address: str, coin: str, key: int | str) -> CancelAck:
        self._begin()
        answer = self._canceller.cancel(self._venue.account(address), coin, key)
        self._flush()
        return answer

    def _roll_bars(self) -> None:
        for market in self._venue.markets.values():
            self._tape.roll(market)

    @staticmethod
    def _price_units(market: Market, price: Decimal) -> int:
        units = market.grid.price_units(price)
        if units is None:
            raise InvalidValue("price", price, "a price on the instrument's grid")
        return units
