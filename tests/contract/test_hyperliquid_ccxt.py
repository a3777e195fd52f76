"""Unmodified ccxt against the mock Hyperliquid: what it sends is understood, and what it gets it can read."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import ccxt
import ccxt.pro
import eth_account
import pytest
import requests

from apps.exchanges.mock.threaded import ThreadedMock

pytestmark = pytest.mark.contract

TRADER = eth_account.Account.from_key("0x" + "11" * 32)
OTHER = eth_account.Account.from_key("0x" + "22" * 32)
BTC, ETH, SPOT = "BTC/USDC:USDC", "ETH/USDC:USDC", "BTC/USDC"
CLOID = "0x" + "ab" * 16
# ccxt signs for the real network unless told otherwise; the other words keep it from sending what nobody asked for.
QUIET = {
    "sandboxMode": True,
    "approvedBuilderFee": True,
    "builderFee": False,
    "refSet": True,
    "enableUnifiedMargin": False,
}
_T = TypeVar("_T")


def settings(venue: ThreadedMock, options: dict[str, Any], key: str = "11") -> dict[str, Any]:
    base = venue.hyperliquid_url
    return {
        "walletAddress": TRADER.address if key == "11" else OTHER.address,
        "privateKey": "0x" + key * 32,
        "enableRateLimit": False,
        "options": dict(options),
        "urls": {"api": {"public": base, "private": base, "ws": {"public": base.replace("http", "ws") + "/ws"}}},
    }


def actions_of(venue: ThreadedMock) -> dict[str, dict[str, int]]:
    state = requests.get(f"{venue.url}/admin/state", timeout=5).json()
    return dict(state["accounts"][TRADER.address.lower()]["actions"])


@pytest.fixture
def venue(serve_mock: Callable[..., ThreadedMock]) -> ThreadedMock:
    return serve_mock()


@pytest.fixture
def bot(venue: ThreadedMock) -> Any:
    exchange = ccxt.hyperliquid(settings(venue, QUIET))
    exchange.load_markets()
    return exchange


def test_reads_the_market(bot: Any) -> None:
    assert set(bot.symbols) == {BTC, ETH, SPOT, "ETH/USDC"}
    assert bot.market(SPOT)["baseId"] == "10000"
    assert bot.fetch_status()["status"] == "ok"
    assert abs(bot.fetch_time() - bot.milliseconds()) < 10_000
    assert set(bot.fetch_currencies()) == {"USDC", "UBTC", "UETH"}
    for symbol in (BTC, SPOT):
        assert bot.fetch_ticker(symbol)["last"] == 50_000
        book = bot.fetch_order_book(symbol)
        assert (book["bids"][0], book["asks"][0]) == ([49_990, 5], [50_010, 5])
        assert bot.fetch_ohlcv(symbol, "1m")[-1][4] == 50_000
    assert set(bot.fetch_tickers()) == set(bot.symbols)
    assert bot.fetch_funding_rates([BTC])[BTC]["markPrice"] == 50_000
    assert bot.fetch_open_interest(BTC)["openInterestAmount"] == 0
    assert bot.fetch_funding_rate_history(BTC) == []
    fee = bot.fetch_trading_fee(BTC)
    assert (fee["maker"], fee["taker"]) == (0.00015, 0.00045)


def test_trades_perpetuals_and_reads_its_account(venue: ThreadedMock, bot: Any) -> None:
    assert bot.fetch_balance()["USDC"]["total"] == 100_000
    bought = bot.create_order(BTC, "market", "buy", 0.1, 50_010)
    assert (bought["filled"], bought["average"]) == (0.1, 50_010)
    [position] = bot.fetch_positions()
    assert (position["symbol"], position["contracts"], position["side"]) == (BTC, 0.1, "long")
    [trade] = bot.fetch_my_trades()
    # What ccxt calls the public trades of this venue are the caller's own.
    assert [row["id"] for row in bot.fetch_trades(BTC)] == [trade["id"]]
    assert (trade["takerOrMaker"], trade["fee"]["currency"]) == ("taker", "USDC")
    resting = bot.create_order(BTC, "limit", "buy", 0.01, 40_000, {"clientOrderId": CLOID})
    assert bot.fetch_order(None, BTC, {"clientOrderId": CLOID})["id"] == resting["id"]
    edited = bot.edit_order(resting["id"], BTC, "limit", "buy", 0.02, 41_000, {"clientOrderId": CLOID})
    assert edited["id"] != resting["id"]
    bot.create_order(BTC, "market", "sell", 0.05, 50_000, {"stopLossPrice": 45_000, "reduceOnly": True})
    legs = {"stopLoss": {"triggerPrice": 44_000}, "takeProfit": {"triggerPrice": 47_000}}
    bot.create_order(BTC, "limit", "buy", 0.05, 45_000, legs)
    orders = {order["id"]: order for order in bot.fetch_open_orders(BTC)}
    assert orders[edited["id"]]["amount"] == 0.02
    assert len(orders) == 3, "legs are shown inside their parent"
    assert {order["status"] for order in bot.fetch_closed_orders(BTC)} == {"closed"}
    assert [order["id"] for order in bot.fetch_canceled_orders(BTC)] == [resting["id"]]
    assert bot.cancel_all_orders_after(60_000)["status"] == "ok"
    assert {row["status"] for row in bot.cancel_orders(list(orders), BTC)} == {"success"}
    assert bot.fetch_open_orders() == []
    assert set(actions_of(venue)) == {"order", "batchModify", "scheduleCancel", "cancel"}


def test_isolated_margin_is_set_topped_up_and_shown(bot: Any) -> None:
    bot.set_margin_mode("isolated", ETH, {"leverage": 5})
    bot.create_order(ETH, "market", "buy", 1, 3_001)
    [before] = bot.fetch_positions([ETH])
    assert (before["marginMode"], before["leverage"]) == ("isolated", 5)
    bot.add_margin(ETH, 100)
    [after] = bot.fetch_positions([ETH])
    assert after["collateral"] == pytest.approx(before["collateral"] + 100)
    assert after["liquidationPrice"] < before["liquidationPrice"]
    bot.reduce_margin(ETH, 50)
    assert bot.fetch_positions([ETH])[0]["collateral"] == pytest.approx(before["collateral"] + 50)
    with pytest.raises(ccxt.ExchangeError, match="Insufficient margin"):
        bot.reduce_margin(ETH, 500)
    with pytest.raises(ccxt.ExchangeError, match="Cannot switch leverage type"):
        bot.set_margin_mode("cross", ETH, {"leverage": 5})


def test_trades_a_spot_pair_with_what_it_moved_there(bot: Any) -> None:
    with pytest.raises(ccxt.InsufficientFunds):
        bot.create_order(SPOT, "market", "buy", 0.1, 50_010)
    bot.transfer("USDC", 20_000, "swap", "spot")
    bot.create_order(SPOT, "market", "buy", 0.1, 50_010)
    resting = bot.create_order(SPOT, "limit", "sell", 0.05, 51_000)
    balance = bot.fetch_balance({"type": "spot"})
    assert balance["USDC"]["total"] == 14_999
    assert (balance["BTC"]["total"], balance["BTC"]["used"]) == (0.09993, 0.05)
    assert [(o["id"], o["symbol"]) for o in bot.fetch_open_orders(SPOT)] == [(resting["id"], SPOT)]
    [trade] = bot.fetch_my_trades(SPOT)
    assert (trade["symbol"], trade["fee"]) == (SPOT, {"currency": "UBTC", "cost": 0.00007})
    assert bot.cancel_order(resting["id"], SPOT)["status"] == "success"
    assert bot.fetch_positions() == []
    assert [row["type"] for row in bot.fetch_ledger()] == ["deposit", "transfer"]
    bot.transfer("USDC", 10_000, "spot", "swap")
    assert bot.fetch_balance()["USDC"]["total"] == 90_000
    with pytest.raises(ccxt.ExchangeError, match="Insufficient balance"):
        bot.transfer("USDC", 1_000_000, "spot", "swap")


def test_what_the_venue_refuses_reaches_the_caller_as_the_class_ccxt_knows(bot: Any) -> None:
    refusals: tuple[tuple[type[Exception], tuple[Any, ...], dict[str, Any]], ...] = (
        (ccxt.InvalidOrder, (BTC, "limit", "buy", 0.01, 60_000), {"postOnly": True}),
        (ccxt.InsufficientFunds, (BTC, "limit", "buy", 4_000, 49_000), {}),
        (ccxt.InvalidOrder, (BTC, "limit", "buy", 0.0001, 49_000), {}),
        (ccxt.InvalidOrder, (BTC, "limit", "sell", 0.01, 51_000), {"reduceOnly": True}),
        (ccxt.InvalidOrder, (BTC, "limit", "buy", 0.01, 40_000), {"timeInForce": "IOC"}),
        # The venue has no such word: it does not even parse.
        (ccxt.ExchangeError, (BTC, "limit", "buy", 0.01, 50_010), {"timeInForce": "FOK"}),
    )
    for kind, order, params in refusals:
        with pytest.raises(kind):
            bot.create_order(*order, params)
    with pytest.raises(ccxt.OrderNotFound):
        bot.cancel_order("1", BTC)
    assert bot.fetch_open_orders() == []
    assert bot.fetch_my_trades() == []


def test_trap_a_batch_that_fails_in_part_leaves_orders_its_caller_never_hears_of(bot: Any) -> None:
    # ccxt raises on the first inner error and drops the other statuses: the order that rests must be looked for.
    sound = {"symbol": BTC, "type": "limit", "side": "buy", "amount": 0.01, "price": 40_000}
    with pytest.raises(ccxt.InsufficientFunds):
        bot.create_orders([sound, {**sound, "amount": 4_000}])
    [order] = bot.fetch_open_orders(BTC)
    assert (order["amount"], order["price"]) == (0.01, 40_000)
    with pytest.raises(ccxt.OrderNotFound):
        bot.cancel_orders([order["id"], "1"], BTC)
    assert bot.fetch_open_orders(BTC) == [], "the cancel took effect although ccxt says it failed"


def test_trap_without_sandbox_mode_ccxt_signs_for_the_real_network_and_is_a_stranger_here(venue: ThreadedMock) -> None:
    exchange = ccxt.hyperliquid(settings(venue, {**QUIET, "sandboxMode": False}))
    with pytest.raises(ccxt.ExchangeError, match="does not exist"):
        exchange.create_order(BTC, "limit", "buy", 0.01, 40_000)
    assert actions_of(venue) == {}


def test_trap_ccxt_left_to_itself_asks_for_a_builders_fee_and_gets_it(venue: ThreadedMock) -> None:
    exchange = ccxt.hyperliquid(settings(venue, {"sandboxMode": True}))
    exchange.create_order(BTC, "market", "buy", 0.1, 50_010)
    exchange.create_order(BTC, "market", "sell", 0.1, 49_990)
    counts = actions_of(venue)
    assert {kind: count["received"] for kind, count in counts.items()} == {
        "approveBuilderFee": 1,
        "setReferrer": 1,
        "order": 2,
    }
    trade = exchange.fetch_my_trades()[0]
    assert (trade["info"]["builderFee"], trade["info"]["fee"]) == ("0.5001", "2.75055"), "1 bp, and 4.5 bp + 1 bp"
    # The venue's fee includes the builder's, as recordings show; ccxt adds it once more.
    assert trade["fee"]["cost"] == pytest.approx(2.75055 + 0.5001)


def test_a_foreign_key_trades_for_its_own_account_whatever_the_client_calls_itself(
    venue: ThreadedMock, bot: Any
) -> None:
    stranger = ccxt.hyperliquid({**settings(venue, QUIET), "privateKey": "0x" + "22" * 32})
    order = stranger.create_order(BTC, "limit", "buy", 0.01, 40_000)
    assert bot.fetch_open_orders() == []
    other = ccxt.hyperliquid(settings(venue, QUIET, "22"))
    assert [row["id"] for row in other.fetch_open_orders()] == [order["id"]]


def test_streams_and_orders_over_the_socket(venue: ThreadedMock) -> None:
    asyncio.run(_over_the_socket(venue))


async def _over_the_socket(venue: ThreadedMock) -> None:
    exchange = ccxt.pro.hyperliquid(settings(venue, QUIET))
    try:
        await exchange.load_markets()
        for symbol in (BTC, SPOT):
            assert (await _soon(exchange.watch_order_book(symbol)))["bids"][0] == [49_990, 5]
            assert (await _soon(exchange.watch_ticker(symbol)))["last"] == 50_000
            assert (await _soon(exchange.watch_ohlcv(symbol, "1m")))[-1][4] == 50_000
        assert BTC in await _soon(exchange.watch_tickers())
        assert (await _soon(exchange.watch_balance()))["USDC"]["total"] == 100_000
        await exchange.transfer("USDC", 5_000, "swap", "spot")
        assert "USDC" in await _soon(exchange.watch_balance({"type": "spot"}))
        await _trade_over_the_socket(exchange)
    finally:
        await exchange.close()


async def _trade_over_the_socket(exchange: Any) -> None:
    orders, fills = (asyncio.ensure_future(watch()) for watch in (exchange.watch_orders, exchange.watch_my_trades))
    await asyncio.sleep(0)
    placed = await _soon(exchange.create_order_ws(BTC, "limit", "buy", 0.01, 42_000))
    limit = {"symbol": BTC, "type": "limit", "side": "buy", "amount": 0.01, "price": 32_000}
    many = await _soon(exchange.create_orders_ws([limit, {**limit, "price": 33_000}]))
    edited = await _soon(exchange.edit_order_ws(placed["id"], BTC, "limit", "buy", 0.02, 42_001))
    assert (await _soon(orders))[0]["symbol"] == BTC
    bought = await _soon(exchange.create_order_ws(BTC, "market", "buy", 0.01, 50_010))
    assert (await _soon(fills))[0]["order"] == bought["id"]
    assert [row["contracts"] for row in await _soon(exchange.watch_positions())] == [0.01]
    assert (await _soon(exchange.watch_trades(BTC)))[-1]["amount"] == 0.01
    for order in (*many, edited):
        assert (await _soon(exchange.cancel_order_ws(order["id"], BTC)))["status"] == "success"
    assert await exchange.fetch_open_orders() == []


def test_an_order_over_the_socket_may_be_taken_without_a_word(venue: ThreadedMock, bot: Any) -> None:
    body = {"venue": "hyperliquid", "kind": "accept_then_drop", "path": "/ws", "action": "order", "count": 1}
    assert requests.post(f"{venue.url}/admin/faults", json=body, timeout=5).status_code == 200

    async def order() -> None:
        exchange = ccxt.pro.hyperliquid(settings(venue, QUIET))
        try:
            await exchange.load_markets()
            with pytest.raises((ccxt.NetworkError, TimeoutError)):
                await _soon(exchange.create_order_ws(BTC, "limit", "buy", 0.01, 42_000))
        finally:
            await exchange.close()

    asyncio.run(order())
    assert [row["price"] for row in bot.fetch_open_orders(BTC)] == [42_000]


async def _soon(answer: Awaitable[_T]) -> _T:
    return await asyncio.wait_for(answer, 5)
