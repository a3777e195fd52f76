"""The unmodified Hyperliquid SDK against the mock: what it sends is understood, what it gets has the venue's shape."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from typing import Any

import eth_account
import pytest
import requests
import yaml
from eth_account.signers.local import LocalAccount
from hyperliquid.exchange import Exchange as SdkExchange
from hyperliquid.info import Info
from hyperliquid.utils import signing as sdk_signing
from hyperliquid.utils.error import ClientError, ServerError
from hyperliquid.utils.types import Cloid

from apps.exchanges.mock.engine.api import InstrumentSpec
from apps.exchanges.mock.engine.exchange import Exchange
from apps.exchanges.mock.threaded import ThreadedMock, mock_in_thread
from apps.exchanges.mock.wire.hyperliquid.venue import WireConfig
from moondev.domain.clock import LiveClock

pytestmark = [
    pytest.mark.contract,
    pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning"),
]

CASSETTES = Path(__file__).resolve().parents[2] / "../shared/fixtures/hyperliquid/sdk_cassettes"
TRADER = eth_account.Account.from_key("0x" + "11" * 32)
OTHER = eth_account.Account.from_key("0x" + "22" * 32)
STRANGER = eth_account.Account.from_key("0x" + "33" * 32)
SPECS = (InstrumentSpec("BTC", 0, 5, 40), InstrumentSpec("ETH", 1, 4, 25))
GTC, IOC, ALO = ({"limit": {"tif": tif}} for tif in ("Gtc", "Ioc", "Alo"))
WAIT_SECONDS = 5.0


def post(running: ThreadedMock, path: str, /, **body: object) -> dict[str, Any]:
    answer = requests.post(running.url + path, json=body, timeout=5)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def open_market(venue: ThreadedMock) -> None:
    for wallet in (TRADER, OTHER):
        post(venue, "/admin/accounts", address=wallet.address, deposit="100000")
    for coin, bid, ask, size in (("BTC", "49990", "50010", "5"), ("ETH", "2999", "3001", "50")):
        post(venue, "/admin/quote", coin=coin, side="buy", price=bid, size=size)
        post(venue, "/admin/quote", coin=coin, side="sell", price=ask, size=size)


@pytest.fixture
def serve() -> Iterator[Callable[..., ThreadedMock]]:
    """Start venues that end with the test."""
    with ExitStack() as stack:

        def start(**options: Any) -> ThreadedMock:
            clock = LiveClock()
            engine = Exchange(SPECS, clock, {"BTC": Decimal(50_000), "ETH": Decimal(3_000)})
            config = WireConfig(**{"book_interval_ms": 20, **options})
            venue = stack.enter_context(mock_in_thread(engine, clock, config))
            open_market(venue)
            return venue

        yield start


@pytest.fixture
def venue(serve: Callable[..., ThreadedMock]) -> ThreadedMock:
    return serve()


def client(venue: ThreadedMock, wallet: LocalAccount, account: str | None = None) -> SdkExchange:
    return SdkExchange(wallet, venue.hyperliquid_url, account_address=account, timeout=5)


@pytest.fixture
def trader(venue: ThreadedMock) -> SdkExchange:
    return client(venue, TRADER)


def statuses(answer: Any) -> list[Any]:
    assert answer["status"] == "ok", answer
    return list(answer["response"]["data"]["statuses"])


def pause() -> None:
    """Let a millisecond pass: the SDK takes its nonce from the clock."""
    time.sleep(0.002)


def recorded(name: str, kind: str) -> Any:
    path = CASSETTES / f"{name}.yaml"
    if not path.exists():
        pytest.skip(f"no recorded answers at {CASSETTES}")
    for interaction in yaml.safe_load(path.read_text())["interactions"]:
        if json.loads(interaction["request"]["body"])["type"] == kind:
            return json.loads(interaction["response"]["body"]["string"])
    raise AssertionError(f"{path} records no {kind}")


def assert_speaks_like(found: Any, example: Any, where: str = "answer") -> None:
    """Hold `found` to the fields and JSON types of a recorded answer; more fields are fine."""
    if example is None or found is None:
        return
    assert type(found) is type(example), f"{where}: {found!r} is no {type(example).__name__}"
    if isinstance(example, dict):
        missing = set(example) - set(found)
        assert not missing, f"{where} lacks {missing}"
        for name, value in example.items():
            assert_speaks_like(found[name], value, f"{where}.{name}")
    if isinstance(example, list) and example and found:
        assert_speaks_like(found[0], example[0], f"{where}[0]")


# --- orders ---------------------------------------------------------------------------------------


def test_a_market_order_is_filled_and_shows_in_state_and_fills(trader: SdkExchange) -> None:
    (status,) = statuses(trader.market_open("BTC", True, 0.1))
    assert status["filled"]["totalSz"] == "0.1"
    assert status["filled"]["avgPx"] == "50010.0"
    state = trader.info.user_state(TRADER.address)
    assert state["assetPositions"][0]["position"]["szi"] == "0.1"
    (fill,) = trader.info.user_fills(TRADER.address)
    assert (fill["oid"], fill["dir"], fill["crossed"]) == (status["filled"]["oid"], "Open Long", True)
    assert Decimal(fill["fee"]) == Decimal("0.1") * 50_010 * Decimal("0.00045")
    value = Decimal(100_000) - Decimal("0.1") * 10 - Decimal(fill["fee"])
    assert Decimal(state["marginSummary"]["accountValue"]) == value
    pause()
    (closed,) = statuses(trader.market_close("BTC"))
    assert closed["filled"]["totalSz"] == "0.1"
    assert trader.info.user_state(TRADER.address)["assetPositions"] == []


def test_a_batch_answers_each_order_in_its_place(trader: SdkExchange) -> None:
    def order(size: float, price: float, kind: Any, **more: Any) -> Any:
        return {
            "coin": "BTC",
            "is_buy": True,
            "sz": size,
            "limit_px": price,
            "order_type": kind,
            "reduce_only": False,
            **more,
        }

    answer = statuses(
        trader.bulk_orders(
            [
                order(0.1, 49_000, GTC, cloid=Cloid.from_int(7)),
                order(0.1, 50_020, IOC),
                order(0.1, 50_020, ALO),
                order(0.1, 49_000.55, GTC),
                order(0.00001, 49_000, GTC),
                order(0.1, 49_000, GTC, reduce_only=True),
                order(0.1, 49_000, IOC),
                order(100, 49_000, GTC),
            ]
        )
    )
    assert answer[0]["resting"]["cloid"] == Cloid.from_int(7).to_raw()
    assert isinstance(answer[0]["resting"]["oid"], int)
    assert answer[1]["filled"]["totalSz"] == "0.1"
    assert [entry.get("error") for entry in answer[2:]] == [
        "Post only order would have immediately matched, bbo was 49990@50010. asset=0",
        "Price must be divisible by tick size. asset=0",
        "Order must have minimum value of $10. asset=0",
        "Reduce only order would increase position. asset=0",
        "Order could not immediately match against any resting orders. asset=0",
        "Insufficient margin to place order. asset=0",
    ]
    assert len(trader.info.open_orders(TRADER.address)) == 1


def test_orders_are_found_by_oid_and_by_cloid_through_their_whole_life(trader: SdkExchange) -> None:
    cloid = Cloid.from_int(99)
    (status,) = statuses(trader.order("BTC", True, 0.1, 49_000, GTC, cloid=cloid))
    oid = status["resting"]["oid"]
    for found in (
        trader.info.query_order_by_oid(TRADER.address, oid),
        trader.info.query_order_by_cloid(TRADER.address, cloid),
    ):
        assert found["status"] == "order"
        assert (found["order"]["status"], found["order"]["order"]["oid"]) == ("open", oid)
        assert found["order"]["order"]["tif"] == "Gtc"
    pause()
    assert statuses(trader.cancel_by_cloid("BTC", cloid)) == ["success"]
    assert trader.info.query_order_by_oid(TRADER.address, oid)["order"]["status"] == "canceled"
    pause()
    (refused,) = statuses(trader.cancel("BTC", oid))
    assert refused == {"error": "Order was never placed, already canceled, or filled. asset=0"}
    assert trader.info.query_order_by_oid(TRADER.address, 1) == {"status": "unknownOid"}
    words = [(row["order"]["oid"], row["status"]) for row in trader.info.historical_orders(TRADER.address)]
    assert words == [(oid, "canceled"), (oid, "open")]


def test_a_modify_gives_a_new_oid_and_refuses_orders_that_ended(trader: SdkExchange) -> None:
    (status,) = statuses(trader.order("BTC", True, 0.1, 49_000, GTC))
    oid = status["resting"]["oid"]
    pause()
    (moved,) = statuses(trader.modify_order(oid, "BTC", True, 0.2, 49_100, GTC))
    assert moved["resting"]["oid"] != oid
    pause()
    (refused,) = statuses(trader.modify_order(oid, "BTC", True, 0.3, 49_200, GTC))
    assert refused == {"error": "Cannot modify canceled or filled order"}
    (row,) = trader.info.open_orders(TRADER.address)
    assert (row["sz"], row["limitPx"]) == ("0.2", "49100.0")


def test_bracket_orders_wait_for_their_parent_and_trigger_on_the_mark(venue: ThreadedMock, trader: SdkExchange) -> None:
    def child(tpsl: str, price: float) -> Any:
        trigger = {"isMarket": True, "triggerPx": price, "tpsl": tpsl}
        return {
            "coin": "BTC",
            "is_buy": False,
            "sz": 0.1,
            "limit_px": price,
            "order_type": {"trigger": trigger},
            "reduce_only": True,
        }

    parent = {
        "coin": "BTC",
        "is_buy": True,
        "sz": 0.1,
        "limit_px": 50_020,
        "order_type": IOC,
        "reduce_only": False,
    }
    answer = statuses(trader.bulk_orders([parent, child("tp", 52_000), child("sl", 48_000)], grouping="normalTpsl"))
    assert answer[0]["filled"]["totalSz"] == "0.1"
    assert answer[1:] == ["waitingForTrigger", "waitingForTrigger"]
    orders = trader.info.frontend_open_orders(TRADER.address)
    assert {row["orderType"] for row in orders} == {"Take Profit Market", "Stop Market"}
    assert {row["triggerCondition"] for row in orders} == {"Price above 52000", "Price below 48000"}
    post(venue, "/admin/quote", coin="BTC", side="buy", price="47990", size="1")
    post(venue, "/admin/mark", coin="BTC", price="47995")
    assert trader.info.open_orders(TRADER.address) == []
    words = {row["status"] for row in trader.info.historical_orders(TRADER.address)}
    assert {"triggered", "filled", "siblingFilledCanceled"} & words


def test_leverage_and_margin_mode(trader: SdkExchange) -> None:
    assert trader.update_leverage(5, "BTC") == {"status": "ok", "response": {"type": "default"}}
    pause()
    assert trader.update_leverage(500, "BTC") == {"status": "err", "response": "Invalid leverage value"}
    pause()
    assert trader.update_leverage(5, "BTC", is_cross=False)["status"] == "err"
    pause()
    refused = trader.update_isolated_margin(10, "BTC")
    assert refused == {"status": "err", "response": "Position does not use isolated margin."}
    request = {"type": "activeAssetData", "user": TRADER.address, "coin": "BTC"}
    data = trader.info.post("/info", request)
    assert data["leverage"] == {"type": "cross", "value": 5}
    assert data["maxTradeSzs"] == ["10.0", "10.0"]


def test_a_scheduled_cancel_clears_the_book_in_time(serve: Callable[..., ThreadedMock], trader: SdkExchange) -> None:
    soon = int(time.time() * 1000) + 1_000
    assert trader.schedule_cancel(soon)["status"] == "err"
    pause()
    assert trader.schedule_cancel(soon + 60_000)["status"] == "ok"
    pause()
    assert trader.schedule_cancel(None)["status"] == "ok"
    strict = client(serve(schedule_cancel_volume=Decimal(1_000_000)), TRADER)
    assert strict.schedule_cancel(soon + 60_000) == {
        "status": "err",
        "response": "Cannot set scheduled cancel time until enough volume traded. Required: $1000000. Traded: $0.00.",
    }


# --- who may sign ---------------------------------------------------------------------------------


def test_an_agent_trades_for_its_master_until_it_is_replaced(venue: ThreadedMock, trader: SdkExchange) -> None:
    answer, key = trader.approve_agent("bot")
    assert answer == {"status": "ok", "response": {"type": "default"}}
    agent = eth_account.Account.from_key(key)
    by_agent = client(venue, agent, TRADER.address)
    (status,) = statuses(by_agent.order("BTC", True, 0.1, 49_000, GTC))
    assert [row["oid"] for row in trader.info.open_orders(TRADER.address)] == [status["resting"]["oid"]]
    (listed,) = trader.info.extra_agents(TRADER.address)
    assert (listed["name"], listed["address"]) == ("bot", agent.address.lower())
    assert trader.info.user_role(agent.address) == {"role": "agent", "data": {"user": TRADER.address.lower()}}
    pause()
    assert trader.approve_agent("bot")[0]["status"] == "ok"
    pause()
    refused = by_agent.order("BTC", True, 0.1, 49_000, GTC)
    assert refused["response"] == f"User or API Wallet {agent.address.lower()} does not exist."
    assert len(trader.info.open_orders(TRADER.address)) == 1


def test_an_agent_may_not_do_what_only_its_master_may(venue: ThreadedMock, trader: SdkExchange) -> None:
    _, key = trader.approve_agent()
    agent = eth_account.Account.from_key(key)
    by_agent = client(venue, agent, TRADER.address)
    expected = f"Must deposit before performing actions. User: {agent.address.lower()}"
    assert by_agent.approve_agent("next")[0] == {"status": "err", "response": expected}
    assert by_agent.usd_transfer(1, OTHER.address)["response"] == expected
    assert trader.info.extra_agents(TRADER.address) == []


def test_a_stranger_and_a_mainnet_signature_are_turned_away_and_nothing_rests(
    venue: ThreadedMock, trader: SdkExchange
) -> None:
    refused = client(venue, STRANGER).order("BTC", True, 0.1, 49_000, GTC)
    assert refused["response"] == f"User or API Wallet {STRANGER.address.lower()} does not exist."
    order = {"a": 0, "b": True, "p": "49000", "s": "0.1", "r": False, "t": GTC}
    action = sdk_signing.order_wires_to_order_action([order])
    nonce = int(time.time() * 1000)
    signature = sdk_signing.sign_l1_action(TRADER, action, None, nonce, None, True)
    body = {"action": action, "nonce": nonce, "signature": signature}
    answer = requests.post(venue.hyperliquid_url + "/exchange", json=body, timeout=5).json()
    assert answer["status"] == "err"
    assert "does not exist" in answer["response"]
    assert trader.info.open_orders(TRADER.address) == []
    assert requests.get(venue.url + "/admin/state", timeout=5).json()["totals"]["orders"] == 0


def test_a_replayed_request_is_refused_by_its_nonce(venue: ThreadedMock, trader: SdkExchange) -> None:
    order = {"a": 0, "b": True, "p": "49000", "s": "0.1", "r": False, "t": GTC}
    action = sdk_signing.order_wires_to_order_action([order])
    nonce = int(time.time() * 1000)
    signature = sdk_signing.sign_l1_action(TRADER, action, None, nonce, None, False)
    body = {"action": action, "nonce": nonce, "signature": signature, "vaultAddress": None, "expiresAfter": None}
    first, second = (requests.post(venue.hyperliquid_url + "/exchange", json=body, timeout=5).json() for _ in range(2))
    assert first["status"] == "ok"
    assert second == {"status": "err", "response": f"Invalid nonce: duplicate nonce {nonce}"}
    assert len(trader.info.open_orders(TRADER.address)) == 1


def test_an_action_after_its_own_expiry_is_refused(trader: SdkExchange) -> None:
    trader.set_expires_after(int(time.time() * 1000) - 1)
    assert trader.order("BTC", True, 0.1, 49_000, GTC) == {
        "status": "err",
        "response": "Action already expired",
    }
    trader.set_expires_after(int(time.time() * 1000) + 10_000)
    pause()
    assert "resting" in statuses(trader.order("BTC", True, 0.1, 49_000, GTC))[0]
    assert len(trader.info.open_orders(TRADER.address)) == 1


def test_vaults_transfers_and_deployments_are_refused_in_the_venues_form(
    venue: ThreadedMock, trader: SdkExchange
) -> None:
    by_vault = SdkExchange(TRADER, venue.hyperliquid_url, vault_address=OTHER.address, timeout=5)
    answers = [by_vault.order("BTC", True, 0.1, 49_000, GTC)]
    for ask in (
        lambda: trader.usd_transfer(5, OTHER.address),
        lambda: trader.usd_class_transfer(5, True),
        lambda: trader.withdraw_from_bridge(5, OTHER.address),
        lambda: trader.create_sub_account("sub"),
        lambda: trader.vault_usd_transfer(OTHER.address, True, 5),
        lambda: trader.approve_builder_fee(OTHER.address, "0.01%"),
        lambda: trader.spot_deploy_enable_freeze_privilege(1),
    ):
        pause()
        answers.append(ask())
    assert {answer["status"] for answer in answers} == {"err"}
    assert all(isinstance(answer["response"], str) for answer in answers)
    assert trader.info.user_state(TRADER.address)["marginSummary"]["accountValue"] == "100000.0"


# --- bodies, limits, faults -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/info", "no json"),
        ("/info", "[]"),
        ("/info", '{"type":"weather"}'),
        ("/info", '{"type":"clearinghouseState","user":"0x12"}'),
        ("/info", '{"type":"candleSnapshot","req":{"coin":"BTC","interval":"7m","startTime":0}}'),
        ("/exchange", "{}"),
        ("/exchange", '{"action":{"type":"order"},"nonce":1,"signature":{"r":"0x1","s":"0x1"}}'),
        ("/exchange", '{"action":{"type":"order"},"nonce":-1,"signature":{"r":"0x1","s":"0x1","v":27}}'),
    ],
)
def test_a_body_that_makes_no_sense_is_answered_422(venue: ThreadedMock, path: str, body: str) -> None:
    answer = requests.post(
        venue.hyperliquid_url + path, data=body, headers={"Content-Type": "application/json"}, timeout=5
    )
    assert (answer.status_code, answer.text) == (
        422,
        "Failed to deserialize the JSON body into the target type",
    )


def test_an_order_with_a_bad_number_is_answered_422_and_the_whole_batch_is_left_out(
    trader: SdkExchange,
) -> None:
    good = {"a": 0, "b": True, "p": "49000", "s": "0.1", "r": False, "t": GTC}
    for bad in ({**good, "p": "NaN"}, {**good, "s": 1}, {**good, "c": "0x12"}, {**good, "t": {"limit": {}}}):
        pause()
        action = sdk_signing.order_wires_to_order_action([good, bad])  # type: ignore[list-item]
        nonce = int(time.time() * 1000)
        signature = sdk_signing.sign_l1_action(TRADER, action, None, nonce, None, False)
        with pytest.raises(ClientError) as refused:
            trader._post_action(action, signature, nonce)
        assert refused.value.status_code == 422
    assert trader.info.open_orders(TRADER.address) == []


def test_the_weight_limit_answers_429_and_can_be_switched_off(serve: Callable[..., ThreadedMock]) -> None:
    strict, lax = serve(), serve(limits=False)
    assert not hammer(lax)
    assert hammer(strict)


def hammer(venue: ThreadedMock) -> bool:
    with requests.Session() as session:
        for _ in range(80):
            answer = session.post(venue.hyperliquid_url + "/info", json={"type": "meta"}, timeout=5)
            if answer.status_code == 429:
                return True
    return False


def test_the_address_limit_speaks_the_venues_sentence(venue: ThreadedMock, trader: SdkExchange) -> None:
    wire = venue.server.wire
    venue.call(lambda _: wire.venue.addresses.charge(TRADER.address.lower(), 10_000))
    first = trader.order("BTC", True, 0.01, 49_000, GTC)
    pause()
    second = trader.order("BTC", True, 0.01, 49_000, GTC)
    assert first["status"] == "ok"
    assert second["response"].startswith("Too many cumulative requests sent (10002 > 10000) for cumulative volume")
    limit = trader.info.user_rate_limit(TRADER.address)
    assert (limit["nRequestsUsed"], limit["nRequestsCap"], limit["cumVlm"]) == (10_001, 10_000, "0.0")
    pause()
    assert trader.cancel("BTC", first["response"]["data"]["statuses"][0]["resting"]["oid"])["status"] == "ok"


def test_faults_strike_as_ordered_and_then_stop(venue: ThreadedMock, trader: SdkExchange) -> None:
    post(venue, "/admin/faults", venue="hl", kind="error_5xx", value=503, count=1, path="/exchange")
    with pytest.raises(ServerError):
        trader.order("BTC", True, 0.1, 49_000, GTC)
    pause()
    post(venue, "/admin/faults", venue="hl", kind="rate_limit", count=1, action="order")
    with pytest.raises(ClientError):
        trader.order("BTC", True, 0.1, 49_000, GTC)
    pause()
    post(venue, "/admin/faults", venue="hl", kind="reject", value="Insufficient margin to place order.", count=1)
    (refused,) = statuses(trader.order("BTC", True, 0.1, 49_000, GTC))
    assert refused == {"error": "Insufficient margin to place order."}
    post(venue, "/admin/faults", venue="hl", kind="drop_before", count=1, action="order")
    pause()
    with pytest.raises(requests.exceptions.ConnectionError):
        trader.order("BTC", True, 0.1, 49_000, GTC)
    assert trader.info.open_orders(TRADER.address) == []
    post(venue, "/admin/faults", venue="hl", kind="latency_ms", value=200, count=1, action="order")
    pause()
    begun = time.monotonic()
    assert "resting" in statuses(trader.order("BTC", True, 0.1, 49_000, GTC))[0]
    assert time.monotonic() - begun > 0.2


def test_accept_then_drop_does_the_deed_and_says_nothing(venue: ThreadedMock, trader: SdkExchange) -> None:
    cloid = Cloid.from_int(5)
    post(venue, "/admin/faults", venue="hl", kind="accept_then_drop", count=1, action="order")
    with pytest.raises(requests.exceptions.ConnectionError):
        trader.order("BTC", True, 0.1, 49_000, GTC, cloid=cloid)
    assert trader.info.query_order_by_cloid(TRADER.address, cloid)["order"]["status"] == "open"
    state = requests.get(venue.url + "/admin/state", timeout=5).json()
    actions = state["accounts"][TRADER.address.lower()]["actions"]
    assert (actions["order"]["received"], state["totals"]["open_orders"]) == (1, 1)


def test_a_skewed_venue_clock_shows_in_expiry(venue: ThreadedMock, trader: SdkExchange) -> None:
    post(venue, "/admin/faults", venue="hl", kind="clock_skew_ms", value=60_000)
    trader.set_expires_after(int(time.time() * 1000) + 5_000)
    assert trader.order("BTC", True, 0.1, 49_000, GTC)["response"] == "Action already expired"
    requests.delete(venue.url + "/admin/faults", timeout=5)
    pause()
    assert "resting" in statuses(trader.order("BTC", True, 0.1, 49_000, GTC))[0]


def test_control_names_the_field_that_is_wrong(venue: ThreadedMock) -> None:
    for path, body, said in (
        ("/admin/accounts", {"address": "0x1", "deposit": "1"}, "address must be"),
        ("/admin/accounts", {"address": TRADER.address, "deposit": "-1"}, "deposit must be above 0"),
        ("/admin/mark", {"coin": "DOGE", "price": "1"}, "coin must be one of BTC, ETH"),
        ("/admin/trade", {"coin": "BTC", "side": "hold", "price": "1", "size": "1"}, "side must be buy or sell"),
        ("/admin/quote", {"coin": "BTC", "side": "buy", "price": "1.23456789", "size": "1"}, "grid of BTC"),
        ("/admin/feed", {"action": "explode"}, "action must be pause or resume"),
        ("/admin/faults", {"kind": "earthquake"}, "kind must be one of"),
    ):
        answer = requests.post(venue.url + path, json=body, timeout=5)
        assert answer.status_code == 400
        assert said in answer.json()["error"]


# --- what is read ---------------------------------------------------------------------------------


def test_market_answers_have_the_recorded_shapes(venue: ThreadedMock, trader: SdkExchange) -> None:
    post(venue, "/admin/trade", coin="BTC", side="buy", price="50010", size="0.5")
    info: Info = trader.info
    assert_speaks_like(info.meta(), recorded("test_get_l2_snapshot", "meta"))
    assert_speaks_like(info.l2_snapshot("BTC"), recorded("test_get_l2_snapshot", "l2Book"))
    now = int(time.time() * 1000)
    bars = info.candles_snapshot("BTC", "1m", now - 3_600_000, now)
    assert bars
    assert_speaks_like(bars, recorded("test_get_candles_snapshot", "candleSnapshot"))
    mids = info.all_mids()
    assert mids == {"BTC": "50000.0", "ETH": "3000.0"}
    assert all(isinstance(value, str) for value in recorded("test_get_all_mids", "allMids").values())


def test_user_answers_have_the_recorded_shapes(trader: SdkExchange) -> None:
    trader.market_open("BTC", True, 0.1)
    pause()
    trader.order("BTC", True, 0.1, 49_000, GTC)
    example = recorded("test_get_user_state", "clearinghouseState")
    del example["assetPositions"][0]["position"]["maxTradeSzs"]  # 2023 only; activeAssetData has it now
    assert_speaks_like(trader.info.user_state(TRADER.address), example)
    assert_speaks_like(trader.info.open_orders(TRADER.address), recorded("test_get_open_orders", "openOrders"))
    assert_speaks_like(trader.info.user_role(TRADER.address), recorded("test_user_role", "userRole"))


def test_every_question_the_sdk_can_ask_is_answered(trader: SdkExchange) -> None:
    info, user, now = trader.info, TRADER.address, int(time.time() * 1000)
    contexts = info.meta_and_asset_ctxs()
    assert [entry["name"] for entry in contexts[0]["universe"]] == ["BTC", "ETH"]
    assert contexts[1][0]["markPx"] == "50000.0"
    assert info.spot_meta_and_asset_ctxs()[1] == []
    assert info.perp_dexs() == [None]
    assert info.spot_user_state(user) == {"balances": []}
    assert info.frontend_open_orders(user) == []
    assert info.user_fills_by_time(user, 0, now) == []
    assert info.funding_history("BTC", 0) == []
    assert info.user_funding_history(user, 0) == []
    fees = info.user_fees(user)
    assert (fees["userCrossRate"], fees["userAddRate"]) == ("0.00045", "0.00015")
    (deposit,) = info.user_non_funding_ledger_updates(user, 0)
    assert deposit["delta"] == {"type": "deposit", "usdc": "100000.0"}
    assert dict(info.portfolio(user))["allTime"]["vlm"] == "0.0"
    assert info.query_referral_state(user)["referredBy"] is None
    assert info.user_role(STRANGER.address) == {"role": "missing"}
    assert info.user_state(STRANGER.address)["marginSummary"]["accountValue"] == "0.0"
    assert info.open_orders(STRANGER.address) == []
    for ask in (
        info.query_sub_accounts,
        info.query_user_to_multi_sig_signers,
        info.query_user_dex_abstraction_state,
        info.query_user_abstraction_state,
        info.user_staking_summary,
        info.user_staking_delegations,
        info.user_staking_rewards,
        info.delegator_history,
        info.user_twap_slice_fills,
        info.user_vault_equities,
        info.query_spot_deploy_auction_status,
        info.extra_agents,
        info.historical_orders,
        info.user_rate_limit,
    ):
        ask(user)
    info.query_perp_deploy_auction_status()
    assert info.post("/info", {"type": "exchangeStatus"})["specialStatuses"] is None


def test_a_book_is_thinned_out_on_request(venue: ThreadedMock, trader: SdkExchange) -> None:
    for price, size in (("49985", "1"), ("49900", "2"), ("49001", "1")):
        post(venue, "/admin/quote", coin="BTC", side="buy", price=price, size=size)
    book = trader.info.post("/info", {"type": "l2Book", "coin": "BTC", "nSigFigs": 2})
    assert [(row["px"], row["sz"], row["n"]) for row in book["levels"][0]] == [("49000.0", "9.0", 4)]
    assert [row["px"] for row in book["levels"][1]] == ["51000.0"]
