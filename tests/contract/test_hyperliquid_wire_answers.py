"""The mock's answers: the recorded shapes, bodies that make no sense, limits, and faults on demand."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
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

from apps.exchanges.mock.threaded import ThreadedMock

pytestmark = pytest.mark.contract

CASSETTES = Path(__file__).resolve().parents[2] / "../shared/fixtures/hyperliquid/sdk_cassettes"
TRADER = eth_account.Account.from_key("0x" + "11" * 32)
OTHER = eth_account.Account.from_key("0x" + "22" * 32)
STRANGER = eth_account.Account.from_key("0x" + "33" * 32)
GTC = {"limit": {"tif": "Gtc"}}


def post(running: ThreadedMock, path: str, /, **body: object) -> dict[str, Any]:
    answer = requests.post(running.url + path, json=body, timeout=5)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


@pytest.fixture
def venue(serve_mock: Callable[..., ThreadedMock]) -> ThreadedMock:
    return serve_mock()


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


def test_the_weight_limit_answers_429_and_can_be_switched_off(serve_mock: Callable[..., ThreadedMock]) -> None:
    strict, lax = serve_mock(), serve_mock(limits=False)
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
    assert mids == {"BTC": "50000.0", "ETH": "3000.0", "@0": "50000.0", "@1": "3000.0"}
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
    spot_meta, spot_contexts = info.spot_meta_and_asset_ctxs()
    assert [entry["name"] for entry in spot_meta["universe"]] == [entry["coin"] for entry in spot_contexts]
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
