"""The unmodified ccxt.pro client listens at the mock's Binance, and orders over its websocket API."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import ccxt
import pytest

from tests.contract.binance_ccxt import listener
from tests.contract.suite.scene import VenueScene, served
from tests.contract.suite.venues.binance import VENUE

pytestmark = pytest.mark.contract

BTC = "BTC/USDT:USDT"
LONGEST_SECONDS = 10.0


@pytest.fixture(scope="module")
def scene() -> Iterator[VenueScene]:
    with served(VENUE) as scene:
        yield scene


def listened(scene: VenueScene, story: Callable[[Any], Awaitable[None]]) -> None:
    """Run a story with a listener that has an account, and close it whatever happens."""

    async def run() -> None:
        exchange = listener(scene, *scene.open_account().credentials.signer_key.split(":"))
        try:
            await exchange.load_markets()
            await asyncio.wait_for(story(exchange), LONGEST_SECONDS)
        finally:
            await exchange.close()

    asyncio.run(run())


async def heard(watch: Awaitable[Any], cause: Callable[[], object]) -> Any:
    """Return what `watch` tells, while `cause` happens again and again until it does."""
    task = asyncio.ensure_future(watch)
    while not task.done():
        await asyncio.to_thread(cause)
        await asyncio.wait([task], timeout=0.1)
    return task.result()


def test_the_public_streams_are_understood(scene: VenueScene) -> None:
    def trade() -> None:
        scene.trade("buy", "50010", "0.01")

    async def story(exchange: Any) -> None:
        book = await heard(exchange.watch_order_book(BTC), trade)
        assert (book["bids"][0][0], book["asks"][0][0]) == (49_990.0, 50_010.0)
        (first, *_) = await heard(exchange.watch_trades(BTC), trade)
        assert (first["price"], first["side"], first["amount"]) == (50_010.0, "buy", 0.01)
        bars = await heard(exchange.watch_ohlcv(BTC, "1m"), trade)
        assert bars[-1][4] == 50_010.0
        ticker = await heard(exchange.watch_ticker(BTC), trade)
        assert ticker["last"] == 50_010.0
        quotes = await heard(exchange.watch_bids_asks([BTC]), trade)
        assert quotes[BTC]["bid"] == 49_990.0
        marks = await exchange.watch_mark_price(BTC)
        assert marks["markPrice"] == 50_000.0

    listened(scene, story)


def test_a_book_kept_from_differences_equals_the_venue_s(scene: VenueScene) -> None:
    """ccxt checks U, u and pu itself and raises when they do not join."""

    async def story(exchange: Any) -> None:
        for step in range(1, 40):
            price, size = str(49_900 + step), str(step)
            book = await heard(exchange.watch_order_book(BTC), lambda p=price, s=size: scene.quote("buy", p, s))
        truth = await exchange.fetch_order_book(BTC, 1_000)
        for _ in range(100):
            if book["bids"][:20] == truth["bids"][:20]:
                break
            book = await heard(exchange.watch_order_book(BTC), lambda: scene.quote("sell", "50900", "1"))
            truth = await exchange.fetch_order_book(BTC, 1_000)
        assert book["bids"][:20] == truth["bids"][:20]

    listened(scene, story)


def test_the_private_stream_tells_of_orders_fills_positions_and_balance(scene: VenueScene) -> None:
    async def story(exchange: Any) -> None:
        balances = asyncio.ensure_future(exchange.watch_balance())
        # The first answer of positions is what REST tells; with it the private connection stands.
        assert await exchange.watch_positions([BTC]) == []
        orders = asyncio.ensure_future(exchange.watch_orders(BTC))
        trades = asyncio.ensure_future(exchange.watch_my_trades(BTC))
        positions = asyncio.ensure_future(exchange.watch_positions([BTC]))
        await asyncio.sleep(0)
        placed = await exchange.create_order(BTC, "market", "buy", 0.01)
        assert (await orders)[0]["id"] == placed["id"]
        (trade,) = await trades
        assert (trade["price"], trade["fee"]["cost"], trade["takerOrMaker"]) == (50_010.0, 0.25005, "taker")
        held = await positions
        assert [(p["side"], p["contracts"]) for p in held if p["contracts"]] == [("long", 0.01)]
        assert (await balances)["USDT"]["total"] == pytest.approx(100_000 - 0.25005)

    listened(scene, story)


def test_orders_travel_over_the_websocket_api(scene: VenueScene) -> None:
    async def story(exchange: Any) -> None:
        placed = await exchange.create_order_ws(BTC, "limit", "buy", 0.01, 49_000)
        assert placed["status"] == "open"
        changed = await exchange.edit_order_ws(placed["id"], BTC, "limit", "buy", 0.02, 49_100)
        assert (changed["id"], changed["amount"]) == (placed["id"], 0.02)
        gone = await exchange.cancel_order_ws(placed["id"], BTC)
        assert gone["status"] == "canceled"
        with pytest.raises(ccxt.ExchangeError):
            await exchange.cancel_order_ws(placed["id"], BTC)
        with pytest.raises(ccxt.InsufficientFunds):
            await exchange.create_order_ws(BTC, "limit", "buy", 1_000, 49_000)
        exchange.secret = "another"
        with pytest.raises(ccxt.AuthenticationError):
            await exchange.create_order_ws(BTC, "limit", "buy", 0.01, 49_000)

    listened(scene, story)
