"""Whatever traders and the market do, in any order, these things hold."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from apps.exchanges.mock.engine.api import (
    Grouping,
    InstrumentSpec,
    NewOrder,
    OrderStatus,
    SelfTrade,
    Tif,
    TpSl,
    Trigger,
)
from apps.exchanges.mock.engine.events import OrderUpdated, TradePrinted, UserFill
from apps.exchanges.mock.engine.exchange import Exchange
from moondev.domain.clock import FixedClock, from_milliseconds

D = Decimal
PEOPLE = ("ann", "bob", "cat")
COINS = ("BTC", "ETH")
MARKS = {"BTC": D(100), "ETH": D(10)}
STATUS_MAY_FOLLOW = {
    None: {OrderStatus.OPEN, OrderStatus.FILLED, OrderStatus.CANCELED, OrderStatus.REJECTED},
    OrderStatus.OPEN: {OrderStatus.OPEN, OrderStatus.TRIGGERED, OrderStatus.FILLED, OrderStatus.CANCELED},
    OrderStatus.TRIGGERED: {OrderStatus.OPEN, OrderStatus.FILLED, OrderStatus.CANCELED},
    OrderStatus.FILLED: set(),
    OrderStatus.CANCELED: set(),
    OrderStatus.REJECTED: set(),
}

people, coins = st.sampled_from(PEOPLE), st.sampled_from(COINS)
sides = st.booleans()
sizes = st.one_of(st.integers(1, 40).map(lambda n: D(n) / 10), st.integers(10_000, 400_000).map(D))
steps = st.integers(-12, 12)
tifs = st.sampled_from([Tif.GTC, Tif.IOC, Tif.ALO, Tif.FOK])
self_trades = st.sampled_from(SelfTrade)
depths = st.one_of(st.integers(1, 50).map(D), st.integers(50_000, 400_000).map(D))
houses = st.tuples(coins, steps, depths, sides)


def price(coin: str, step: int) -> Decimal:
    return MARKS[coin] * (1 + D(step) / 100)


class Market(RuleBasedStateMachine):
    """Several traders, a house that quotes and takes, marks that jump, hours that pass."""

    @initialize()
    def open(self) -> None:
        self.clock = FixedClock(from_milliseconds(1_772_452_800_000))
        specs = [InstrumentSpec("BTC", 0, 5, 50), InstrumentSpec("ETH", 1, 4, 25)]
        self.exchange = Exchange(specs, self.clock, MARKS)
        self.venue = self.exchange._venue
        for who in PEOPLE:
            self.exchange.open_account(who, D(1_000_000))
        self.status: dict[int, OrderStatus] = {}
        self.filled: dict[int, Decimal] = {}
        self.reduce_only: set[int] = set()
        self.queues: dict[tuple[str, int], list[int]] = {}
        self.exchange.subscribe(self.listen)
        self.house_quotes([(coin, step, D(100), step < 0) for coin in COINS for step in (-3, -2, -1, 1, 2, 3)])
        for who, is_buy in zip(PEOPLE, (True, False, True), strict=True):
            self.exchange.place(who, [NewOrder("BTC", is_buy, D(5), price("BTC", 3 if is_buy else -3), Tif.IOC)])

    def listen(self, event: object) -> None:
        if isinstance(event, OrderUpdated):
            self.check_path(event)
        if isinstance(event, UserFill):
            self.check_fill(event)
        if isinstance(event, TradePrinted):
            assert event.trade.size > 0

    def check_path(self, event: OrderUpdated) -> None:
        order = event.order
        assert order.status in STATUS_MAY_FOLLOW[self.status.get(order.oid)]
        assert 0 <= order.remaining <= order.size
        assert (order.status is OrderStatus.FILLED) <= (order.remaining == 0)
        assert order.filled == self.filled.get(order.oid, D(0))
        self.status[order.oid] = order.status

    def check_fill(self, event: UserFill) -> None:
        fill = event.fill
        before = self.filled.get(fill.oid, D(0))
        self.filled[fill.oid] = before + fill.size
        if fill.oid in self.reduce_only or fill.liquidation:
            assert abs(fill.end_position) < abs(fill.start_position)
            assert fill.end_position * fill.start_position >= 0

    def remember(self, answers: list[object], orders: list[NewOrder]) -> None:
        for answer, order in zip(answers, orders, strict=True):
            oid = getattr(answer, "oid", None)
            if oid is not None and order.reduce_only:
                self.reduce_only.add(oid)

    @rule(
        who=people,
        coin=coins,
        is_buy=sides,
        size=sizes,
        step=steps,
        tif=tifs,
        reduce_only=sides,
        self_trade=self_trades,
    )
    def place(self, who, coin, is_buy, size, step, tif, reduce_only, self_trade):
        order = NewOrder(coin, is_buy, size, price(coin, step), tif, reduce_only=reduce_only, self_trade=self_trade)
        self.reducing(who, [order], Grouping.NA)

    @rule(who=people, coin=coins, is_buy=sides, size=sizes, step=st.integers(1, 12), tif=tifs, position=sides)
    def place_with_stop(self, who, coin, is_buy, size, step, tif, position):
        legs = [
            NewOrder(
                coin,
                not is_buy,
                size,
                price(coin, sign * step * (1 if is_buy else -1)),
                reduce_only=True,
                trigger=Trigger(is_market, price(coin, sign * step * (1 if is_buy else -1)), kind),
            )
            for sign, kind, is_market in ((1, TpSl.TP, False), (-1, TpSl.SL, True))
        ]
        if position:
            self.reducing(who, legs, Grouping.POSITION_TPSL)
        else:
            self.reducing(who, [NewOrder(coin, is_buy, size, price(coin, 0), tif), *legs], Grouping.NORMAL_TPSL)

    def reducing(self, who: str, orders: list[NewOrder], grouping: Grouping) -> None:
        # Fills are heard after the request, when the ids are not known yet: check them afterwards.
        seen = len(self.exchange.fills(who))
        answers = self.exchange.place(who, orders, grouping)
        self.remember(answers, orders)
        for fill in self.exchange.fills(who)[seen:]:
            if fill.oid in self.reduce_only:
                assert abs(fill.end_position) < abs(fill.start_position)

    @rule(who=people, pick=st.integers(0, 50))
    def cancel(self, who, pick):
        orders = self.exchange.open_orders(who)
        if orders:
            order = orders[pick % len(orders)]
            self.exchange.cancel(who, order.coin, order.oid)
            assert self.exchange.order_by_oid(who, order.oid).status is OrderStatus.CANCELED

    @rule(who=people, pick=st.integers(0, 50), is_buy=sides, size=sizes, step=steps, tif=tifs)
    def modify(self, who, pick, is_buy, size, step, tif):
        orders = self.exchange.open_orders(who)
        if orders:
            order = orders[pick % len(orders)]
            new = NewOrder(order.coin, is_buy, size, price(order.coin, step), tif)
            self.exchange.modify(who, order.oid, new)

    @rule(quotes=st.lists(houses, min_size=1, max_size=6))
    def house_quotes(self, quotes):
        house = self.exchange.house()
        for coin, step, size, is_buy in quotes:
            market = house.market(coin)
            px, units = market.grid.price_units(price(coin, step)), market.grid.size_units(size)
            house.quote(market, px, units, is_buy=is_buy)
        self.exchange._flush()

    @rule(coin=coins, step=steps, size=sizes, is_buy=sides)
    def house_takes(self, coin, step, size, is_buy):
        had = self.exchange.print_trade(coin, size, price(coin, step), is_buy=is_buy)
        if had < size:
            book = self.venue.market(coin).book
            best = book.asks.best_px() if is_buy else book.bids.best_px()
            limit = self.venue.market(coin).grid.price_units(price(coin, step))
            assert best is None or (best > limit if is_buy else best < limit)

    @rule(coin=coins, step=st.integers(-20, 20))
    def mark_moves(self, coin, step):
        self.exchange.set_mark(coin, price(coin, step))

    @rule(moves=st.lists(st.tuples(coins, st.integers(-30, 30)), min_size=2, max_size=5))
    def marks_run(self, moves):
        for coin, step in moves:
            self.exchange.set_mark(coin, price(coin, step))

    @rule(minutes=st.sampled_from([1, 7, 61]))
    def time_passes(self, minutes):
        self.clock.advance(timedelta(minutes=minutes))
        self.exchange.tick(self.clock.now())

    @rule(who=people, coin=coins, leverage=st.integers(1, 50), is_cross=sides)
    def leverage(self, who, coin, leverage, is_cross):
        self.exchange.update_leverage(who, coin, leverage, is_cross=is_cross)

    @rule(who=people, coin=coins, amount=st.integers(-500_000, 500_000))
    def move_margin(self, who, coin, amount):
        self.exchange.move_isolated_margin(who, coin, D(amount))

    @invariant()
    def cash_is_conserved_up_to_fees_and_the_rounding_of_funding(self):
        accounts = self.venue.accounts.values()
        flows = sum(account.cash - account.deposit for account in accounts)
        cost = sum(p.cost for account in accounts for p in account.positions.values())
        assert flows + self.venue.fees_collected + self.venue.funding_collected == 0
        assert sum(account.fees_paid for account in accounts) == self.venue.fees_collected
        assert isinstance(cost, int)

    @invariant()
    def positions_of_all_accounts_add_up_to_nothing(self):
        for coin in COINS:
            assert sum(account.size_of(coin) for account in self.venue.accounts.values()) == 0

    @invariant()
    def value_is_what_the_fills_and_payments_say(self):
        for who in PEOPLE:
            state, value = self.exchange.account_state(who), D(1_000_000)
            held = dict.fromkeys(COINS, D(0))
            for fill in self.exchange.fills(who):
                signed = fill.size if fill.is_buy else -fill.size
                value -= signed * fill.price + fill.fee
                held[fill.coin] += signed
            value -= sum(payment.paid for payment in self.exchange.funding_payments(who)) + state.forfeited
            value += sum(held[coin] * self.exchange.mark(coin) for coin in COINS)
            assert state.account_value == value

    @invariant()
    def the_fund_has_what_others_forfeited_and_no_cross_account_owes_it(self):
        assert sum(account.forfeited for account in self.venue.accounts.values()) == 0
        for who in PEOPLE:
            state = self.exchange.account_state(who)
            if not state.positions:
                assert state.account_value == state.cross_value
            assert sum(p.margin_used for p in state.positions) == state.margin_used
            assert all((p.isolated_margin is None) is p.is_cross for p in state.positions)

    @invariant()
    def the_book_is_never_crossed_and_its_sizes_are_those_of_its_orders(self):
        for coin in COINS:
            book = self.venue.market(coin).book
            quotes = book.middle()
            assert quotes is None or quotes[0] < quotes[1]
            for level in [*book.bids, *book.asks]:
                assert level.size == sum(order.remaining for order in level.orders.values()) > 0

    @invariant()
    def nobody_overtakes_within_a_price(self):
        queues = {}
        for coin in COINS:
            book = self.venue.market(coin).book
            for side, sign in ((book.bids, 1), (book.asks, -1)):
                queues |= {(coin, sign * level.px): list(level.orders) for level in side}
        for key, now in queues.items():
            stayed = [oid for oid in self.queues.get(key, []) if oid in now]
            assert now[: len(stayed)] == stayed
        self.queues = queues

    @invariant()
    def open_exposure_is_what_rests_and_reductions_fit_their_position(self):
        for who in PEOPLE:
            account = self.venue.account(who)
            resting = [order for order in account.live.values() if order.place.name == "BOOK"]
            for coin in COINS:
                mine = [order for order in resting if order.market.coin == coin]
                exposure = account.exposure(coin)
                assert exposure.buys == sum(o.remaining for o in mine if o.is_buy and not o.reduce_only)
                assert exposure.sells == sum(o.remaining for o in mine if not o.is_buy and not o.reduce_only)
                for order in mine:
                    if order.reduce_only:
                        assert order.remaining <= abs(account.size_of(coin))
                        assert order.is_buy is (account.size_of(coin) < 0)

    @invariant()
    def holders_are_those_with_positions(self):
        for coin in COINS:
            holding = {a.address for a in self.venue.accounts.values() if a.size_of(coin)}
            assert set(self.venue.market(coin).holders) == holding


TestMarket = Market.TestCase
TestMarket.settings = settings(max_examples=80, stateful_step_count=40, deadline=None)
