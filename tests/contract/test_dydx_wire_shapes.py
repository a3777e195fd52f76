"""The mock's indexer beside the recorded one: the same fields, with the same JSON types."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import aiohttp
import pytest

from apps.exchanges.mock.threaded import ThreadedMock
from tests.contract.dydx_server import ADDRESS, SYMBOL, TICKER, client, dydx_mock, indexer, wait_for
from tests.unit.apps.exchanges.venues.dydx.recordings import PRESENT, WHY_NOT, recorded

pytestmark = [pytest.mark.contract, pytest.mark.skipif(not PRESENT, reason=WHY_NOT)]

MINE = {"address": ADDRESS, "subaccountNumber": 0}


@pytest.fixture(scope="module")
def mock() -> Iterator[ThreadedMock]:
    with dydx_mock(limits=False) as running:
        trader = client(running)
        trader.create_order(SYMBOL, "market", "buy", 0.02, 51_000)
        trader.create_order(SYMBOL, "market", "sell", 0.01, 49_000)
        trader.create_order(SYMBOL, "limit", "buy", 0.01, 49_000, {"clientOrderId": 1})
        running.call(lambda engine: engine.pay_funding())
        wait_for(lambda: trader.fetch_open_orders(SYMBOL), "the open order")
        yield running


def kind(value: Any) -> str:
    """Return a value's JSON type; null fits any."""
    return {bool: "bool", int: "number", float: "number", str: "text", list: "list", dict: "object"}.get(
        type(value), "null"
    )


def differences(known: Any, ours: Any, where: str = "answer") -> list[str]:
    """Return what of a recorded value is missing in ours or has another type."""
    if "null" in (kind(known), kind(ours)):
        return []
    if kind(known) != kind(ours):
        return [f"{where}: recorded {kind(known)}, ours {kind(ours)}"]
    if isinstance(known, dict):
        gone = [f"{where}.{name}: missing" for name in known if name not in ours]
        return gone + [
            d for name in known if name in ours for d in differences(known[name], ours[name], f"{where}.{name}")
        ]
    if isinstance(known, list) and known and ours:
        return differences(known[0], ours[0], f"{where}[]")
    return []


def one_of(known: dict[str, Any]) -> Any:
    """Return the first entry of a mapping by ticker."""
    return next(iter(known.values()))


def test_answers_over_http_have_the_recorded_fields_and_types(mock: ThreadedMock) -> None:
    ours = {
        "http_get_time": indexer(mock, "/time"),
        "http_get_block_height": indexer(mock, "/height"),
        "http_get_orderbook": indexer(mock, f"/orderbooks/perpetualMarket/{TICKER}"),
        "http_get_trades": indexer(mock, f"/trades/perpetualMarket/{TICKER}"),
        "http_get_candles": indexer(mock, f"/candles/perpetualMarkets/{TICKER}", resolution="1MIN"),
        "http_get_historical_funding": indexer(mock, f"/historicalFunding/{TICKER}"),
        "http_get_orders": indexer(mock, "/orders", **MINE, status="FILLED"),
        "http_get_fills": indexer(mock, "/fills", **MINE),
        "http_get_subaccount": indexer(mock, f"/addresses/{ADDRESS}/subaccountNumber/0"),
        "http_get_perpetual_markets": indexer(mock, "/perpetualMarkets"),
    }
    found = {name: differences(recorded(name), answer) for name, answer in ours.items()}
    # The recording lists a third market, of which there is no account here to speak of.
    assert found.pop("http_get_perpetual_markets") == ["answer.markets.SOL-USD: missing"]
    assert {name: missing for name, missing in found.items() if missing} == {}
    assert (
        differences(
            one_of(recorded("http_get_perpetual_markets")["markets"]),
            one_of(ours["http_get_perpetual_markets"]["markets"]),
        )
        == []
    )
    market = ours["http_get_perpetual_markets"]["markets"][TICKER]
    known = recorded("http_get_perpetual_markets")["markets"][TICKER]
    # The units of the real market, so that a client's own conversions are put to the same test.
    for name in ("atomicResolution", "quantumConversionExponent", "stepBaseQuantums", "subticksPerTick", "tickSize"):
        assert market[name] == known[name], name
        assert type(market[name]) is type(known[name]), name
    assert ours["http_get_historical_funding"]["historicalFunding"]


def test_a_resting_order_carries_its_last_second_where_a_short_term_one_carries_its_last_block(
    mock: ThreadedMock,
) -> None:
    (order,) = indexer(mock, "/orders", **MINE, status="OPEN")
    (known, *_) = recorded("http_get_orders")
    assert set(order) ^ set(known) == {"goodTilBlockTime", "goodTilBlock"}
    transfers = indexer(mock, "/transfers", **MINE)["transfers"]
    missing = differences(recorded("http_get_transfers")["transfers"], transfers, "transfers")
    # A deposit comes from a wallet, which has no subaccounts; what the recording calls amount and asset, the venue's
    # own types (and ccxt) call size and symbol.
    assert sorted(missing) == sorted(
        ["transfers[].sender.subaccountNumber: missing"] + [f"transfers[].{n}: missing" for n in ("amount", "asset")]
    )


def test_messages_of_the_socket_have_the_recorded_fields_and_types(mock: ThreadedMock) -> None:
    channels = {
        "ws_block_height": ("v4_block_height", ""),
        "ws_orderbook": ("v4_orderbook", TICKER),
        "ws_trades": ("v4_trades", TICKER),
        "ws_candles": ("v4_candles", f"{TICKER}/1MIN"),
        "ws_markets": ("v4_markets", ""),
        "ws_subaccounts": ("v4_subaccounts", f"{ADDRESS}/0"),
    }
    found = asyncio.run(hear(mock, channels))
    missing = {name: differences(recorded(name), message, "") for name, message in found.items()}
    assert {name: gaps for name, gaps in missing.items() if gaps} == {
        # A candle has no id; the hand that wrote the files gave it one.
        "ws_candles_subscribed": [".contents.candles[].id: missing"],
        "ws_candles_update": [".contents.id: missing"],
        # Ours is the fill of a short-term order: it ends with a block.
        "ws_subaccounts_update": [".contents.orders[].goodTilBlockTime: missing"],
    }
    assert set(found) == {f"{name}_{kind}" for name in channels for kind in ("subscribed", "update")}


async def hear(mock: ThreadedMock, channels: dict[str, tuple[str, str]]) -> dict[str, Any]:
    """Return the first message and the first news of every channel, by the name of its recording."""
    found: dict[str, Any] = {}
    names = {channel: name for name, (channel, _) in channels.items()}
    url = f"{mock.url.replace('http', 'ws')}/dydx/v4/ws"
    async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
        for channel, name in channels.values():
            await socket.send_json({"type": "subscribe", "channel": channel, "id": name})
        async with asyncio.timeout(15):
            stirred = False
            while len(found) < 2 * len(channels):
                message = json.loads(await socket.receive_str())
                if message["type"] not in ("subscribed", "channel_data"):
                    continue
                suffix = "subscribed" if message["type"] == "subscribed" else "update"
                key = f"{names[message['channel']]}_{suffix}"
                contents = message["contents"]
                complete = {"ws_markets_update": "oraclePrices", "ws_subaccounts_update": "fills"}.get(key)
                both = key != "ws_orderbook_update" or ("bids" in contents and "asks" in contents)
                if key not in found and (complete is None or complete in contents) and both:
                    found[key] = message
                if not stirred and sum(name.endswith("subscribed") for name in found) == len(channels):
                    stirred = True
                    await asyncio.to_thread(stir, mock)
    return found


def stir(mock: ThreadedMock) -> None:
    """Let everything happen that a channel can tell of."""
    client(mock).create_order(SYMBOL, "market", "buy", 0.01, 51_000)

    def move(engine: Any) -> None:
        house, market = engine.house(), engine.house().market("BTC")
        for price, is_buy in ((Decimal(49_991), True), (Decimal(50_009), False)):
            house.quote(market, market.grid.price_units(price), market.grid.size_units(Decimal(1)), is_buy=is_buy)
        engine.set_mark("BTC", Decimal(50_001))
        engine.set_mark("ETH", Decimal(3_001))

    mock.call(move)
