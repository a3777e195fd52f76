"""Spot pairs: assets change hands, resting orders tie up what they may need, nothing is made or lost."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from apps.exchanges.mock.engine.api import (
    Done,
    Filled,
    InstrumentSpec,
    NewOrder,
    RejectCode,
    Rejected,
    Resting,
    Tif,
    TpSl,
    Trigger,
    UnknownAccount,
)
from apps.exchanges.mock.engine.events import OrderUpdated
from apps.exchanges.mock.engine.exchange import EngineConfig, Exchange
from apps.exchanges.mock.engine.feed import SyntheticConfig, SyntheticFeed
from apps.exchanges.mock.engine.grid import amount
from moondev.domain.clock import FixedClock, from_milliseconds
from moondev.domain.errors import InvalidValue

D = Decimal
PERP = InstrumentSpec("BTC", 0, 5, 50)
PAIR = InstrumentSpec("BTC/USDC", 10_000, 5, 1, base="BTC")
ETHER = InstrumentSpec("ETH/USDC", 10_001, 4, 1, base="ETH")
MARKS = {"BTC": D(100), "BTC/USDC": D(100), "ETH/USDC": D(10)}
START_MS = 1_772_452_800_000


class Desk:
    def __init__(self) -> None:
        self.clock = FixedClock(from_milliseconds(START_MS))
        self.exchange = Exchange([PERP, PAIR, ETHER], self.clock, MARKS, EngineConfig())
        for who in ("ann", "bob"):
            self.exchange.open_account(who, D(1_000))
            self.exchange.deposit_asset(who, "USDC", D(10_000))
            self.exchange.deposit_asset(who, "BTC", D(50))

    def place(self, who: str, side: str, size: object, price: object, coin: str = "BTC/USDC", **fields: object):
        order = NewOrder(coin, side == "buy", D(str(size)), D(str(price)), **fields)  # type: ignore[arg-type]
        return self.exchange.place(who, [order])[0]

    def held(self, who: str, asset: str) -> tuple[Decimal, Decimal]:
        state = self.exchange.balance(who, asset)
        return state.total, state.held


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_trade_swaps_base_for_quote_and_takes_the_fee_from_what_is_received(desk):
    assert isinstance(desk.place("ann", "sell", 2, 100), Resting)
    assert isinstance(desk.place("bob", "buy", 2, 100, tif=Tif.IOC), Filled)
    assert desk.held("bob", "USDC") == (D(9_800), D(0))
    assert desk.held("bob", "BTC") == (D("51.9986"), D(0))  # 2 less 7 bp
    assert desk.held("ann", "USDC") == (D("10199.92"), D(0))  # 200 less 4 bp
    assert desk.held("ann", "BTC") == (D(48), D(0))
    [sold], [bought] = desk.exchange.fills("ann"), desk.exchange.fills("bob")
    assert (sold.fee, sold.fee_asset, sold.start_position) == (D("0.08"), "USDC", D(50))
    assert (bought.fee, bought.fee_asset, bought.end_position) == (D("0.0014"), "BTC", D(52))
    assert desk.exchange.account_state("bob").positions == ()
    assert desk.exchange.account_state("bob").account_value == D(1_000)


def test_a_resting_order_ties_up_what_it_may_need_until_it_ends(desk):
    buy = desk.place("ann", "buy", 10, 90)
    sell = desk.place("ann", "sell", 3, 110)
    assert desk.held("ann", "USDC") == (D(10_000), D(900))
    assert desk.held("ann", "BTC") == (D(50), D(3))
    desk.exchange.amend("ann", buy.oid, remaining=D(4))
    assert desk.held("ann", "USDC")[1] == D(360)
    desk.exchange.modify("ann", sell.oid, NewOrder("BTC/USDC", False, D(5), D(120)))
    assert desk.held("ann", "BTC")[1] == D(5)
    desk.place("bob", "sell", 1, 90, tif=Tif.IOC)
    assert desk.held("ann", "USDC") == (D(9_910), D(270))
    desk.exchange.cancel_all("ann")
    assert {state.held for state in desk.exchange.balances("ann")} == {D(0)}


@pytest.mark.parametrize(("side", "size", "price"), [("buy", 101, 100), ("sell", 51, 100)])
def test_refuses_what_the_balance_cannot_pay_and_books_nothing(desk, side, size, price):
    answer = desk.place("ann", side, size, price)
    assert isinstance(answer, Rejected)
    assert answer.code is RejectCode.INSUFFICIENT_BALANCE
    assert desk.exchange.open_orders("ann") == []
    assert {state.held for state in desk.exchange.balances("ann")} == {D(0)}


def test_what_is_tied_up_cannot_be_spent_twice(desk):
    desk.place("ann", "buy", 60, 100)
    assert desk.place("ann", "buy", 60, 90).code is RejectCode.INSUFFICIENT_BALANCE
    assert isinstance(desk.place("ann", "buy", 40, 100), Resting)


def test_a_market_order_needs_what_the_book_asks_not_its_worst_price(desk):
    desk.place("bob", "sell", 50, 100)
    desk.place("bob", "buy", 1, 99)
    answer = desk.place("ann", "buy", 50, 179, tif=Tif.IOC)
    assert isinstance(answer, Filled)
    assert desk.held("ann", "USDC") == (D(5_000), D(0))


def test_a_market_order_counts_on_no_offer_of_its_own(desk):
    desk.place("ann", "sell", 40, 100)
    desk.place("bob", "sell", 50, 150)
    # Its own offer would be cancelled, and the next one costs more than ann has.
    assert desk.place("ann", "buy", 70, 179, tif=Tif.IOC).total_sz == D(50)
    assert desk.held("ann", "USDC")[0] == D(2_500)


def test_what_was_bought_remembers_its_price_and_a_sale_tells_the_profit(desk):
    desk.exchange.open_account("cat", D(0))
    desk.exchange.deposit_asset("cat", "USDC", D(1_000))
    desk.place("bob", "sell", 4, 100)
    desk.place("cat", "buy", 4, 100)
    assert desk.exchange.balance("cat", "BTC").entry_notional == D(400)
    desk.place("bob", "buy", 1, 120)
    desk.place("cat", "sell", 1, 120)
    profit = desk.exchange.fills("cat")[-1].closed_pnl
    assert D("19.9") < profit < D(20)  # the fee was paid in the asset, so each unit of it cost a little more


def test_a_stop_on_a_pair_fires_and_checks_the_balance_then(desk):
    stop = desk.place("ann", "sell", 50, 90, trigger=Trigger(is_market=True, trigger_px=D(95), tpsl=TpSl.SL))
    desk.place("ann", "sell", 20, 110)
    desk.exchange.set_mark("BTC/USDC", D(94))
    assert desk.exchange.order_by_oid("ann", stop.oid).status == "canceled"
    assert desk.held("ann", "BTC") == (D(50), D(20))


def test_refuses_to_reduce_and_to_borrow_on_a_pair(desk):
    assert desk.place("ann", "sell", 1, 110, reduce_only=True).code is RejectCode.REDUCE_ONLY
    answer = desk.exchange.update_leverage("ann", "BTC/USDC", 1, is_cross=True)
    assert answer.code is RejectCode.UNKNOWN_COIN


def test_a_liquidation_leaves_the_spot_side_alone(desk):
    order = desk.place("ann", "buy", 1, 90)
    desk.exchange.update_leverage("ann", "BTC", 50, is_cross=True)
    desk.place("bob", "sell", 50, 100, coin="BTC")
    desk.place("ann", "buy", 50, 100, coin="BTC", tif=Tif.IOC)
    desk.place("bob", "buy", 50, "80.5", coin="BTC", reduce_only=True)
    desk.exchange.set_mark("BTC", D("80.5"))
    assert desk.exchange.account_state("ann").positions == ()
    assert desk.exchange.order_by_oid("ann", order.oid).status == "open"
    assert desk.held("ann", "USDC") == (D(10_000), D(90))


def test_moves_the_margin_currency_between_the_two_sides(desk):
    assert desk.exchange.transfer("ann", "USDC", D(400), to_spot=True) == Done()
    assert desk.held("ann", "USDC")[0] == D(10_400)
    assert desk.exchange.account_state("ann").account_value == D(600)
    assert desk.exchange.transfer("ann", "USDC", D(100), to_spot=False) == Done()
    assert desk.exchange.account_state("ann").deposit == D(700)
    assert desk.held("ann", "USDC")[0] == D(10_300)


@pytest.mark.parametrize(("amount_", "to_spot"), [("1000.000001", True), ("10001", False), ("0", True), ("-1", False)])
def test_refuses_to_move_more_than_is_free(desk, amount_, to_spot):
    answer = desk.exchange.transfer("ann", "USDC", D(amount_), to_spot=to_spot)
    assert answer.code is RejectCode.INSUFFICIENT_BALANCE
    assert (desk.held("ann", "USDC")[0], desk.exchange.account_state("ann").cash) == (D(10_000), D(1_000))


def test_sends_assets_and_margin_to_another_account(desk):
    assert desk.exchange.send_asset("ann", "bob", "BTC", D("1.5")) == Done()
    assert desk.exchange.send_margin("ann", "bob", D(10)) == Done()
    assert (desk.held("ann", "BTC")[0], desk.held("bob", "BTC")[0]) == (D("48.5"), D("51.5"))
    assert desk.exchange.account_state("bob").account_value == D(1_010)
    assert desk.exchange.send_asset("ann", "bob", "BTC", D(49)).code is RejectCode.INSUFFICIENT_BALANCE
    with pytest.raises(UnknownAccount):
        desk.exchange.send_asset("ann", "dan", "BTC", D(1))


@pytest.mark.parametrize(("asset", "value"), [("DOGE", "1"), ("BTC", "-1"), ("BTC", "0.000000001"), ("BTC", "NaN")])
def test_refuses_a_deposit_that_is_no_amount_of_an_asset_here(desk, asset, value):
    with pytest.raises(InvalidValue):
        desk.exchange.deposit_asset("ann", asset, D(value))


def test_refuses_a_pair_of_an_asset_against_itself():
    with pytest.raises(InvalidValue, match="base"):
        InstrumentSpec("USDC/USDC", 1, 2, 1, base="USDC")


def test_lists_perpetuals_and_pairs_apart(desk):
    assert [spec.coin for spec in desk.exchange.specs()] == ["BTC"]
    assert [spec.coin for spec in desk.exchange.spot_specs()] == ["BTC/USDC", "ETH/USDC"]


def test_the_synthetic_market_moves_a_pair_with_its_coin_and_leaves_the_coin_as_it_would_be():
    closes = []
    for spot in ({}, {"BTC/USDC": "BTC"}):
        feed, clock = (
            SyntheticFeed(SyntheticConfig(("BTC",), seed=3, history_bars=5)),
            FixedClock(from_milliseconds(START_MS)),
        )
        feed.price_as(spot)
        specs = [PERP, PAIR] if spot else [PERP]
        exchange = Exchange(specs, clock, dict.fromkeys(("BTC", "BTC/USDC"), D(100_000)))
        exchange.attach(feed)
        clock.advance(from_milliseconds(START_MS + 20_000) - clock.now())
        exchange.tick(clock.now())
        closes.append(exchange.mark("BTC"))
    assert closes[0] == closes[1]
    assert abs(exchange.mark("BTC/USDC") / exchange.mark("BTC") - 1) < D("0.001")
    assert len(exchange.book("BTC/USDC").bids) == len(exchange.book("BTC/USDC").asks) == 20
    assert exchange.trades("BTC/USDC")
    assert len(exchange.candles("BTC/USDC", "1m", 0, START_MS)) == 6


people, pairs, sides = st.sampled_from(("ann", "bob")), st.sampled_from((PAIR, ETHER)), st.booleans()


class SpotMarket(RuleBasedStateMachine):
    """Traders and a house on two pairs of one quote currency."""

    @initialize()
    def open(self) -> None:
        self.desk = Desk()
        self.exchange, self.venue = self.desk.exchange, self.desk.exchange._venue
        self.exchange.subscribe(self.listen)

    def listen(self, event: object) -> None:
        if isinstance(event, OrderUpdated):
            assert 0 <= event.order.remaining <= event.order.size

    @rule(
        who=people,
        pair=pairs,
        is_buy=sides,
        size=st.integers(10, 900),
        step=st.integers(-9, 9),
        tif=st.sampled_from(list(Tif)),
    )
    def place(self, who, pair, is_buy, size, step, tif):
        price = MARKS[pair.coin] * (100 + step) / 100
        self.exchange.place(who, [NewOrder(pair.coin, is_buy, D(size) / 10, price, tif)])

    @rule(who=people, pick=st.integers(0, 30), size=st.integers(1, 900), step=st.integers(-9, 9))
    def amend(self, who, pick, size, step):
        orders = self.exchange.open_orders(who)
        if orders:
            order = orders[pick % len(orders)]
            price = MARKS[order.coin] * (100 + step) / 100
            self.exchange.amend(who, order.oid, price=price, remaining=D(size) / 10)

    @rule(who=people, pick=st.integers(0, 30))
    def cancel(self, who, pick):
        orders = self.exchange.open_orders(who)
        if orders:
            self.exchange.cancel(who, orders[pick % len(orders)].coin, orders[pick % len(orders)].oid)

    @rule(pair=pairs, is_buy=sides, size=st.integers(1, 2_000), step=st.integers(-9, 9))
    def house_takes(self, pair, is_buy, size, step):
        self.exchange.print_trade(pair.coin, D(size) / 10, MARKS[pair.coin] * (100 + step) / 100, is_buy=is_buy)

    @rule(who=people, asset=st.sampled_from(("USDC", "BTC", "ETH")), size=st.integers(0, 500))
    def send(self, who, asset, size):
        self.exchange.send_asset(who, "bob" if who == "ann" else "ann", asset, D(size) / 10)

    @rule(who=people, size=st.integers(0, 2_000), to_spot=sides)
    def transfer(self, who, size, to_spot):
        self.exchange.transfer(who, "USDC", D(size), to_spot=to_spot)

    @invariant()
    def every_asset_is_conserved_up_to_the_fees(self):
        for asset in ("USDC", "BTC", "ETH"):
            total = sum(
                account.balances[asset].total for account in self.venue.accounts.values() if asset in account.balances
            )
            fees = self.venue.spot_fees_collected.get(asset, 0)
            assert total + fees == self.venue.spot_deposits.get(asset, 0)
        assert sum(account.cash - account.deposit for account in self.venue.accounts.values()) == 0

    @invariant()
    def nobody_spends_what_is_not_there(self):
        for who in ("ann", "bob"):
            for state in self.exchange.balances(who):
                assert 0 <= state.held <= state.total

    @invariant()
    def what_is_held_is_what_rests(self):
        for who in ("ann", "bob"):
            wanted = dict.fromkeys(("USDC", "BTC", "ETH"), D(0))
            for order in self.exchange.open_orders(who):
                asset = "USDC" if order.is_buy else order.coin.split("/")[0]
                wanted[asset] += order.remaining * (order.price if order.is_buy else 1)
            for asset, held in wanted.items():
                assert self.exchange.balance(who, asset).held == held

    @invariant()
    def what_was_given_is_what_the_fills_say(self):
        account = self.venue.account("ann")
        assert all(amount(balance.cost) >= 0 for balance in account.balances.values())


TestSpotMarket = SpotMarket.TestCase
TestSpotMarket.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
