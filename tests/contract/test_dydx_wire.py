"""The unmodified ccxt client on the mock's chain: what it signs is understood, what it gets has the venue's shape."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import ccxt
import pytest
import requests

from apps.exchanges.mock.threaded import ThreadedMock
from tests.contract.dydx_server import (
    ADDRESS,
    DEPOSIT,
    KEY,
    OTHER,
    OTHER_KEY,
    STRANGER,
    STRANGER_KEY,
    SYMBOL,
    TICKER,
    client,
    dydx_mock,
    fault,
    indexer,
    quote,
    settings,
    wait_for,
)

pytestmark = pytest.mark.contract

MINE = {"address": ADDRESS, "subaccountNumber": 0}


@pytest.fixture(scope="module")
def mock() -> Iterator[ThreadedMock]:
    with dydx_mock(limits=False) as running:
        yield running


@pytest.fixture(scope="module")
def trader(mock: ThreadedMock) -> Any:
    return client(mock)


@pytest.fixture
def numbers(request: pytest.FixtureRequest) -> Iterator[int]:
    """Client ids that no other test uses."""
    start = abs(hash(request.node.name)) % 2**31
    return iter(range(start, start + 100))


def code_of(error: ccxt.BaseError) -> int:
    text = str(error)
    return int(text.partition('"code":')[2].partition(",")[0])


def order_row(mock: ThreadedMock, order_id: str) -> dict[str, Any]:
    """Return an order once the indexer has it."""

    def look() -> dict[str, Any] | None:
        answer = requests.get(f"{mock.url}/dydx/v4/orders/{order_id}", timeout=5)
        return dict(answer.json()) if answer.status_code == 200 else None

    return wait_for(look, f"order {order_id}")


def in_status(mock: ThreadedMock, order_id: str, status: str) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        row = order_row(mock, order_id)
        return row if row["status"] == status else None

    return wait_for(look, f"order {order_id} {status}")


def height(mock: ThreadedMock) -> int:
    return int(
        requests.get(f"{mock.url}/dydx/rpc/abci_info", timeout=5).json()["result"]["response"]["last_block_height"]
    )


# --- orders ---------------------------------------------------------------------------------------


def test_ccxt_cannot_place_an_order_before_the_indexers_integers_are_made_text(mock: ThreadedMock) -> None:
    # wire.md 0.4: the indexer sends atomicResolution as a JSON integer, and ccxt's Precise cannot negate one.
    untouched = ccxt.dydx(settings(mock))
    untouched.load_markets()
    assert untouched.market(SYMBOL)["info"]["atomicResolution"] == -10
    with pytest.raises(TypeError):
        untouched.create_order(SYMBOL, "limit", "buy", 0.01, 49_000)


def test_a_market_order_is_filled_and_its_money_adds_up_to_the_last_decimal(mock: ThreadedMock, trader: Any) -> None:
    before = Decimal(indexer(mock, f"/addresses/{ADDRESS}/subaccountNumber/0")["subaccount"]["equity"])
    order = trader.create_order(SYMBOL, "market", "buy", 0.01, 51_000)
    assert order["info"]["code"] == 0
    row = order_row(mock, order["id"])
    assert (row["status"], row["totalFilled"], row["orderFlags"], row["clientMetadata"]) == ("FILLED", "0.01", "0", "1")
    fill = trader.indexerGetFills(MINE)["fills"][0]
    assert (fill["orderId"], fill["liquidity"], fill["market"]) == (order["id"], "TAKER", TICKER)
    assert Decimal(fill["fee"]) == Decimal("0.01") * 50_010 * Decimal("0.0005")
    state = indexer(mock, f"/addresses/{ADDRESS}/subaccountNumber/0")["subaccount"]
    held = state["openPerpetualPositions"][TICKER]
    cash = Decimal(state["assetPositions"]["USDC"]["size"])
    assert Decimal(state["equity"]) == before - Decimal("0.01") * 10 - Decimal(fill["fee"])
    assert Decimal(state["equity"]) == cash + Decimal(held["size"]) * 50_000
    assert Decimal(held["unrealizedPnl"]) == Decimal("0.01") * (50_000 - 50_010)
    (position,) = trader.fetch_positions()
    assert (position["side"], position["contracts"], position["entryPrice"]) == ("long", 0.01, 50_010)
    closing = trader.create_order(SYMBOL, "market", "sell", 0.01, 49_000, {"reduceOnly": True})
    assert order_row(mock, closing["id"])["reduceOnly"] is True
    assert trader.fetch_positions() == []


def test_a_long_term_order_is_acknowledged_at_once_and_exists_only_from_the_next_block(
    mock: ThreadedMock, trader: Any, numbers: Iterator[int]
) -> None:
    number = next(numbers)
    order = trader.create_order(SYMBOL, "limit", "buy", 0.01, 49_000, {"clientOrderId": number, "postOnly": True})
    row = in_status(mock, order["id"], "OPEN")
    assert (row["orderFlags"], row["postOnly"], row["clientId"]) == ("64", True, str(number))
    assert "goodTilBlockTime" in row
    assert "goodTilBlock" not in row
    assert order["id"] in {known["id"] for known in trader.fetch_open_orders(SYMBOL)}
    sooner = {"clientOrderId": number, "goodTillBlockTimeInSeconds": 600}
    with pytest.raises(ccxt.InvalidOrder) as refused:
        trader.create_order(SYMBOL, "limit", "buy", 0.01, 48_000, sooner)
    assert code_of(refused.value) == 3005
    # The same name with a later end takes the order's place.
    later = {"clientOrderId": number, "goodTillBlockTimeInSeconds": 3_000_000}
    trader.create_order(SYMBOL, "limit", "buy", 0.01, 48_000, later)
    wait_for(lambda: order_row(mock, order["id"])["price"] == "48000", "the replacement")
    rows = [row for row in indexer(mock, "/orders", **MINE) if row["id"] == order["id"]]
    assert [(row["price"], row["status"]) for row in rows] == [("48000", "OPEN")]
    with pytest.raises(ccxt.InvalidOrder) as refused:
        trader.cancel_order(number, SYMBOL)
    assert code_of(refused.value) == 29, "a cancel must last as long as the order"
    trader.cancel_order(number, SYMBOL, later)
    in_status(mock, order["id"], "CANCELED")
    with pytest.raises(ccxt.InvalidOrder) as refused:
        trader.cancel_order(number, SYMBOL, later)
    assert code_of(refused.value) == 3006
    # wire.md 1.4: ccxt cancels by the number alone; the indexer's own id is refused before anything is sent.
    with pytest.raises(ccxt.NotSupported):
        trader.cancel_order(order["id"], SYMBOL)


def test_a_short_term_order_lapses_with_its_block(mock: ThreadedMock, trader: Any, numbers: Iterator[int]) -> None:
    number, last = next(numbers), height(mock) + 2
    parameters = {"timeInForce": "IOC", "clientOrderId": number, "goodTillBlock": last}
    order = trader.create_order(SYMBOL, "limit", "buy", 0.01, 49_000, parameters)
    # It found nothing to buy: the books of the indexer never hear of it.
    assert requests.get(f"{mock.url}/dydx/v4/orders/{order['id']}", timeout=5).status_code == 404
    with pytest.raises(ccxt.ExchangeNotAvailable):
        # wire.md 1.4: for ccxt "unknown order" is a network error.
        trader.fetch_order(order["id"])
    wait_for(lambda: height(mock) >= last, "the block")
    with pytest.raises(ccxt.InvalidOrder) as refused:
        trader.create_order(SYMBOL, "limit", "buy", 0.01, 49_000, parameters)
    assert code_of(refused.value) == 10
    with pytest.raises(ccxt.InvalidOrder) as refused:
        trader.create_order(SYMBOL, "limit", "buy", 0.01, 49_000, {**parameters, "goodTillBlock": height(mock) + 60})
    assert code_of(refused.value) == 11


def test_a_conditional_order_waits_untriggered_and_executes_at_its_price(
    mock: ThreadedMock, trader: Any, numbers: Iterator[int]
) -> None:
    trader.create_order(SYMBOL, "market", "buy", 0.02, 51_000)
    stop, profit = next(numbers), next(numbers)
    shared = {"reduceOnly": True}
    first = trader.create_order(
        SYMBOL, "market", "sell", 0.01, 45_000, {**shared, "stopLossPrice": 48_000, "clientOrderId": stop}
    )
    second = trader.create_order(
        SYMBOL, "market", "sell", 0.01, 45_000, {**shared, "takeProfitPrice": 52_000, "clientOrderId": profit}
    )
    row = in_status(mock, first["id"], "UNTRIGGERED")
    assert (row["orderFlags"], row["triggerPrice"], row["type"]) == ("32", "48000", "STOP_LIMIT")
    assert in_status(mock, second["id"], "UNTRIGGERED")["type"] == "TAKE_PROFIT"
    mock.call(lambda engine: engine.set_mark("BTC", Decimal(47_900)))
    assert in_status(mock, first["id"], "FILLED")["totalFilled"] == "0.01"
    mock.call(lambda engine: engine.set_mark("BTC", Decimal(50_000)))
    trader.cancel_order(profit, SYMBOL, {"trigger": True})
    in_status(mock, second["id"], "CANCELED")
    trader.create_order(SYMBOL, "market", "sell", 0.01, 45_000, {"reduceOnly": True})


def test_many_short_term_orders_are_cancelled_by_one_transaction(
    mock: ThreadedMock, trader: Any, numbers: Iterator[int]
) -> None:
    # ccxt has no short-term order that rests, so one is written into its request.
    ids = [next(numbers) for _ in range(3)]
    names = [resting(mock, trader, number, height(mock) + 20) for number in ids]
    rows = {row["id"]: row for row in indexer(mock, "/orders", **MINE, status="BEST_EFFORT_OPENED")}
    assert set(names) <= set(rows)
    trader.cancel_orders(ids, SYMBOL, {"clientOrderIds": ids})
    left = {row["id"] for row in indexer(mock, "/orders", **MINE, status="BEST_EFFORT_OPENED,OPEN")}
    assert not left & set(names)


def test_a_cancel_that_ends_before_its_order_does_nothing_and_says_nothing(
    mock: ThreadedMock, trader: Any, numbers: Iterator[int]
) -> None:
    number, last = next(numbers), height(mock) + 20
    name = resting(mock, trader, number, last)
    answer = trader.cancel_order(number, SYMBOL, {"orderFlags": 0, "goodTillBlock": last - 1})
    assert answer["info"]["code"] == 0
    assert order_row(mock, name)["status"] == "BEST_EFFORT_OPENED"
    trader.cancel_order(number, SYMBOL, {"orderFlags": 0, "goodTillBlock": last})
    assert requests.get(f"{mock.url}/dydx/v4/orders/{name}", timeout=5).status_code == 404
    with pytest.raises(ccxt.InvalidOrder) as refused:
        resting(mock, trader, number, last)
    assert code_of(refused.value) == 9


def resting(mock: ThreadedMock, trader: Any, number: int, last_block: int) -> str:
    """Place a short-term order that rests at 49,000; return its name at the indexer."""
    order_id, request = trader.create_order_request(
        SYMBOL,
        "limit",
        "buy",
        0.01,
        49_000,
        {"timeInForce": "IOC", "clientOrderId": number, "goodTillBlock": last_block},
    )
    request["value"]["order"]["timeInForce"] = 0
    broadcast(trader, request)
    return str(order_id)


def broadcast(trader: Any, request: dict[str, Any]) -> dict[str, Any]:
    credentials, account = trader.retrieve_credentials(), trader.fetch_dydx_account()
    signed = trader.sign_dydx_tx(credentials["privateKey"], request, "", trader.options["chainName"], account, None)
    return dict(trader.nodeRpcGetBroadcastTxSync({"tx": signed}))


# --- refusals -------------------------------------------------------------------------------------


def changed(trader: Any, number: int, **fields: object) -> dict[str, Any]:
    """Return a long-term order with some fields as the chain would not have them."""
    _, request = trader.create_order_request(SYMBOL, "limit", "buy", 0.01, 49_000, {"clientOrderId": number})
    order = request["value"]["order"]
    for name, value in fields.items():
        holder = order["orderId"] if name in ("orderFlags", "clobPairId") else order
        holder[name] = value
    return dict(request)


@pytest.mark.parametrize(
    ("code", "fields"),
    [
        (3, {"side": 0}),
        (4, {"quantums": "0"}),
        (4, {"quantums": "1"}),
        (6, {"subticks": "0"}),
        (6, {"subticks": "100001"}),
        (8, {"clobPairId": 99}),
        (48, {"timeInForce": 3}),
        (3000, {"orderFlags": 5}),
        (3002, {"timeInForce": 1}),
        (3003, {"goodTilBlockTime": 1}),
        (3004, {"goodTilBlockTime": 4_000_000_000}),
        (3007, {"quantums": "9990000000000"}),
        (6000, {"conditionType": 1}),
        (9003, {"reduceOnly": True}),
    ],
)
def test_the_node_refuses_what_the_chain_would_not_take(
    mock: ThreadedMock, trader: Any, numbers: Iterator[int], code: int, fields: dict[str, object]
) -> None:
    before = indexer(mock, "/orders", **MINE)
    with pytest.raises(ccxt.BaseError) as refused:
        broadcast(trader, changed(trader, next(numbers), **fields))
    assert code_of(refused.value) == code
    assert indexer(mock, "/orders", **MINE) == before


def test_a_market_order_without_a_price_is_refused(mock: ThreadedMock, trader: Any, numbers: Iterator[int]) -> None:
    # wire.md 1.4: ccxt lets it pass and sends 0 subticks, so that only the node finds it wrong.
    with pytest.raises(ccxt.ExchangeError) as refused:
        trader.create_order(SYMBOL, "market", "buy", 0.01, None, {"clientOrderId": next(numbers)})
    assert code_of(refused.value) == 6


def test_a_post_only_order_that_would_trade_is_refused_at_once_or_removed_by_the_block(
    mock: ThreadedMock, trader: Any, numbers: Iterator[int]
) -> None:
    _, request = trader.create_order_request(
        SYMBOL, "limit", "buy", 0.01, 51_000, {"timeInForce": "IOC", "latestBlockHeight": height(mock)}
    )
    request["value"]["order"]["timeInForce"] = 2
    with pytest.raises(ccxt.InvalidOrder) as refused:
        broadcast(trader, request)
    assert code_of(refused.value) == 2003
    order = trader.create_order(
        SYMBOL, "limit", "buy", 0.01, 51_000, {"postOnly": True, "clientOrderId": next(numbers)}
    )
    row = in_status(mock, order["id"], "CANCELED")
    assert row["totalFilled"] == "0"


def test_reduce_only_without_a_position_and_too_small_an_account_are_refused(mock: ThreadedMock) -> None:
    poor = client(mock, OTHER_KEY)
    with pytest.raises(ccxt.InvalidOrder) as refused:
        poor.create_order(SYMBOL, "market", "sell", 0.01, 49_000, {"reduceOnly": True})
    assert code_of(refused.value) == 2001
    # A short-term order that the account cannot carry is taken, and simply never fills.
    order = poor.create_order(SYMBOL, "limit", "buy", 900, 49_990, {"timeInForce": "IOC"})
    assert order["info"]["code"] == 0
    assert indexer(mock, "/fills", address=OTHER, subaccountNumber=0) == {"fills": []}


def test_signatures_nonces_and_owners_are_checked(mock: ThreadedMock, trader: Any, numbers: Iterator[int]) -> None:
    stranger = client(mock, KEY)
    stranger.options["dydxCredentials"] = client(mock, STRANGER_KEY).retrieve_credentials()
    with pytest.raises(ccxt.ExchangeError, match="signature verification failed"):
        stranger.create_order(SYMBOL, "limit", "buy", 0.01, 49_000)
    elsewhere = client(mock, KEY)
    elsewhere.options["chainName"] = "dydx-elsewhere-1"
    with pytest.raises(ccxt.ExchangeError, match="signature verification failed"):
        elsewhere.create_order(SYMBOL, "limit", "buy", 0.01, 49_000)
    late = client(mock, KEY)
    late.milliseconds = lambda: ccxt.Exchange.milliseconds() - 40_000
    with pytest.raises(ccxt.InvalidOrder, match="not within valid time window") as refused:
        late.create_order(SYMBOL, "limit", "buy", 0.01, 49_000)
    assert code_of(refused.value) == 32
    fixed, moment = client(mock, KEY), ccxt.Exchange.milliseconds()
    fixed.milliseconds = lambda: moment
    fixed.create_order(SYMBOL, "limit", "buy", 0.01, 49_000, {"clientOrderId": next(numbers)})
    with pytest.raises(ccxt.InvalidOrder, match="rejected") as refused:
        fixed.create_order(SYMBOL, "limit", "buy", 0.01, 49_000, {"clientOrderId": next(numbers)})
    assert code_of(refused.value) == 32
    # Short-term orders need no nonce: the same moment serves again.
    fixed.create_order(SYMBOL, "limit", "buy", 0.01, 49_000, {"timeInForce": "IOC", "clientOrderId": next(numbers)})
    nobody = ccxt.dydx(settings(mock, STRANGER_KEY))
    nobody.load_markets()
    assert requests.get(f"{mock.url}/dydx/v4/addresses/{STRANGER}", timeout=5).status_code == 404
    with pytest.raises(ccxt.BaseError):
        nobody.fetch_balance()


def test_the_same_transaction_is_taken_once_and_nonsense_is_told_from_it(mock: ThreadedMock, trader: Any) -> None:
    account, key = trader.fetch_dydx_account(), trader.retrieve_credentials()["privateKey"]
    _, request = trader.create_order_request(SYMBOL, "limit", "buy", 0.01, 48_500)
    signed = trader.sign_dydx_tx(key, request, "", trader.options["chainName"], account, None)
    address = f"{mock.url}/dydx/rpc/broadcast_tx_sync"
    first = requests.get(address, params={"tx": signed}, timeout=5).json()
    assert first["result"]["code"] == 0
    assert (first["jsonrpc"], first["id"]) == ("2.0", -1)
    again = requests.get(address, params={"tx": signed}, timeout=5)
    assert (again.status_code, again.json()["error"]["data"]) == (500, "tx already exists in cache")
    for text in ("", "zz", "0xzz", "0x0102"):
        answer = requests.get(address, params={"tx": text}, timeout=5).json()
        assert answer.get("error") or answer["result"]["code"] == 2, text
    assert requests.post(f"{mock.url}/dydx/rpc", data=b"{", timeout=5).json()["error"]["code"] == -32600


# --- limits and faults ----------------------------------------------------------------------------


def test_blocks_and_the_indexer_have_room_for_so_much() -> None:
    with dydx_mock() as mock:
        trader = client(mock)
        codes = []
        for number in range(1, 24):
            try:
                trader.create_order(SYMBOL, "limit", "buy", 0.001, 49_000, {"clientOrderId": number})
                codes.append(0)
            except ccxt.InvalidOrder as error:
                codes.append(code_of(error))
        assert codes[:2] == [0, 0]
        assert 5001 in codes
        assert codes[-1] == 5001
        seen = set()
        for _ in range(120):
            answer = requests.get(f"{mock.url}/dydx/v4/height", timeout=5)
            seen.add(answer.status_code)
            if answer.status_code == 429:
                break
        assert seen == {200, 429}
        assert answer.json() == {"errors": [{"msg": "Too many requests"}]}
        assert answer.headers["RateLimit-Remaining"] == "0"
        assert int(answer.headers["Retry-After"]) > 0


def test_faults_strike_the_indexer_and_the_node(mock: ThreadedMock, trader: Any, numbers: Iterator[int]) -> None:
    fault(mock, "rate_limit", action="MsgPlaceOrder", count=1)
    with pytest.raises(ccxt.InvalidOrder) as refused:
        trader.create_order(SYMBOL, "limit", "buy", 0.01, 49_000, {"clientOrderId": next(numbers)})
    assert code_of(refused.value) == 5001
    fault(mock, "reject", action="MsgPlaceOrder", count=1, value="not today")
    with pytest.raises(ccxt.InvalidOrder, match="not today"):
        trader.create_order(SYMBOL, "limit", "buy", 0.01, 49_000, {"clientOrderId": next(numbers)})
    fault(mock, "accept_then_drop", action="MsgPlaceOrder", count=1)
    number = next(numbers)
    with pytest.raises(ccxt.NetworkError):
        trader.create_order(SYMBOL, "limit", "buy", 0.01, 49_100, {"clientOrderId": number})
    rows = wait_for(
        lambda: [row for row in indexer(mock, "/orders", **MINE, status="OPEN") if row["clientId"] == str(number)],
        "the order whose answer was lost",
    )
    assert rows[0]["price"] == "49100"
    fault(mock, "error_5xx", action="orders", count=1, value=503)
    assert requests.get(f"{mock.url}/dydx/v4/orders", timeout=5).status_code == 503
    fault(mock, "rate_limit", action="orders", count=1)
    assert requests.get(f"{mock.url}/dydx/v4/orders", timeout=5).status_code == 429


# --- money ----------------------------------------------------------------------------------------


def test_equity_is_cash_and_positions_at_the_oracle_price_after_any_trading(mock: ThreadedMock) -> None:
    other = client(mock, OTHER_KEY)
    quote(mock, "ETH", "buy", "2998.7", "3.333")
    for side, size, price in (("buy", 0.0137, 51_000), ("sell", 0.0251, 49_000), ("buy", 0.0007, 51_000)):
        other.create_order(SYMBOL, "market", side, size, price)
    other.create_order("ETH/USDC:USDC", "market", "sell", 51.111, 2_900)
    state = indexer(mock, f"/addresses/{OTHER}/subaccountNumber/0")["subaccount"]
    markets = indexer(mock, "/perpetualMarkets")["markets"]
    bank = state["assetPositions"]["USDC"]
    cash = Decimal(bank["size"]) * (1 if bank["side"] == "LONG" else -1)
    worth = sum(
        Decimal(held["size"]) * Decimal(markets[ticker]["oraclePrice"])
        for ticker, held in state["openPerpetualPositions"].items()
    )
    assert Decimal(state["equity"]) == cash + worth
    fills = indexer(mock, "/fills", address=OTHER, subaccountNumber=0)["fills"]
    moved = sum(
        (-1 if fill["side"] == "BUY" else 1) * Decimal(fill["price"]) * Decimal(fill["size"]) - Decimal(fill["fee"])
        for fill in fills
    )
    assert cash == DEPOSIT + moved
