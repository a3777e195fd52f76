"""The unmodified Hyperliquid SDK against the mock: what it sends is understood, what it gets has the venue's shape."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import eth_account
import pytest
import requests
from eth_account.signers.local import LocalAccount
from hyperliquid.exchange import Exchange as SdkExchange
from hyperliquid.utils import signing as sdk_signing
from hyperliquid.utils.types import Cloid

from apps.exchanges.mock.threaded import ThreadedMock

pytestmark = pytest.mark.contract

CASSETTES = Path(__file__).resolve().parents[2] / "../shared/fixtures/hyperliquid/sdk_cassettes"
TRADER = eth_account.Account.from_key("0x" + "11" * 32)
OTHER = eth_account.Account.from_key("0x" + "22" * 32)
STRANGER = eth_account.Account.from_key("0x" + "33" * 32)
GTC, IOC, ALO = ({"limit": {"tif": tif}} for tif in ("Gtc", "Ioc", "Alo"))


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
    refused = trader.update_isolated_margin(10, "BTC")
    assert refused == {"status": "err", "response": "Position does not use isolated margin."}
    request = {"type": "activeAssetData", "user": TRADER.address, "coin": "BTC"}
    data = trader.info.post("/info", request)
    assert data["leverage"] == {"type": "cross", "value": 5}
    assert data["maxTradeSzs"] == ["10.0", "10.0"]


def test_trap_the_sdk_never_raises_and_two_calls_in_one_millisecond_share_a_nonce(
    trader: SdkExchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = int(time.time() * 1000)
    monkeypatch.setattr("hyperliquid.exchange.get_timestamp_ms", lambda: now)
    first, second = (trader.order("BTC", True, 0.1, price, GTC) for price in (49_000, 48_000))
    assert first["status"] == "ok"
    # Refused, and handed back as if nothing were wrong: whoever uses the SDK has to look.
    assert (second["status"], second["response"]) == ("err", f"Invalid nonce: duplicate nonce {now}")
    assert len(trader.info.open_orders(TRADER.address)) == 1


def test_isolated_margin_over_the_sdk(venue: ThreadedMock, trader: SdkExchange) -> None:
    trader.update_leverage(10, "BTC", is_cross=False)
    pause()
    trader.market_open("BTC", True, 0.1)
    pause()
    assert trader.update_isolated_margin(100, "BTC")["status"] == "ok"
    state = trader.info.user_state(TRADER.address)
    position = state["assetPositions"][0]["position"]
    raw, value = Decimal(position["leverage"]["rawUsd"]), Decimal(position["positionValue"])
    assert position["leverage"]["type"] == "isolated"
    assert Decimal(position["marginUsed"]) == raw + value == Decimal("600.1") - 1
    assert state["crossMarginSummary"]["totalNtlPos"] == "0.0"
    assert Decimal(state["marginSummary"]["accountValue"]) - Decimal(position["marginUsed"]) == Decimal(
        state["crossMarginSummary"]["accountValue"]
    )
    pause()
    assert trader.update_leverage(10, "BTC")["response"] == "Cannot switch leverage type with open position."
    events = liquidate(venue, trader, mark="45000")
    assert events[0]["delta"]["liquidatedPositions"] == [{"coin": "BTC", "szi": "0.1"}]
    assert events[0]["delta"]["leverageType"] == "Isolated"
    fill = trader.info.user_fills(TRADER.address)[0]
    assert fill["liquidation"] == {"liquidatedUser": TRADER.address.lower(), "markPx": "44000.0", "method": "backstop"}
    assert trader.info.user_state(TRADER.address)["assetPositions"] == []


def liquidate(venue: ThreadedMock, trader: SdkExchange, mark: str) -> list[Any]:
    post(venue, "/admin/mark", coin="BTC", price=mark)
    assert trader.info.user_state(TRADER.address)["assetPositions"], "not yet"
    post(venue, "/admin/mark", coin="BTC", price="44000")
    ledger = trader.info.user_non_funding_ledger_updates(TRADER.address, 0)
    return [row for row in ledger if row["delta"]["type"] == "liquidation"]


def test_spot_orders_and_transfers_over_the_sdk(trader: SdkExchange) -> None:
    def steps() -> Iterator[Any]:
        yield trader.usd_class_transfer(20_000, False)
        yield trader.market_open("UBTC/USDC", True, 0.1)
        yield trader.order("@0", False, 0.05, 51_000, GTC)
        yield trader.usd_transfer(10, OTHER.address)
        yield trader.spot_transfer(0.01, OTHER.address, "UBTC:0x" + f"{1:032x}")
        yield trader.send_asset(TRADER.address, "spot", "", "USDC:0x" + "0" * 32, 100)

    for answer in steps():
        assert answer["status"] == "ok", answer
        pause()
    held = {row["coin"]: row for row in trader.info.spot_user_state(TRADER.address)["balances"]}
    assert (held["UBTC"]["total"], held["UBTC"]["hold"]) == ("0.08993", "0.05")
    assert held["USDC"]["total"] == "14899.0"
    assert trader.info.spot_user_state(OTHER.address)["balances"][0]["total"] == "0.01"
    assert trader.info.user_state(OTHER.address)["marginSummary"]["accountValue"] == "100010.0"
    kinds = [row["delta"]["type"] for row in trader.info.user_non_funding_ledger_updates(TRADER.address, 0)]
    assert kinds == ["deposit", "accountClassTransfer", "internalTransfer", "spotTransfer", "accountClassTransfer"]
    (fill,) = trader.info.user_fills(TRADER.address)
    assert (fill["coin"], fill["dir"], fill["feeToken"], fill["fee"]) == ("@0", "Buy", "UBTC", "0.00007")
    (order,) = trader.info.open_orders(TRADER.address)
    assert statuses(trader.cancel("@0", order["oid"])) == ["success"]


def test_a_scheduled_cancel_clears_the_book_in_time(
    serve_mock: Callable[..., ThreadedMock], trader: SdkExchange
) -> None:
    soon = int(time.time() * 1000) + 1_000
    assert trader.schedule_cancel(soon)["status"] == "err"
    pause()
    assert trader.schedule_cancel(soon + 60_000)["status"] == "ok"
    pause()
    assert trader.schedule_cancel(None)["status"] == "ok"
    strict = client(serve_mock(schedule_cancel_volume=Decimal(1_000_000)), TRADER)
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
        lambda: trader.usd_transfer(100_001, OTHER.address),
        lambda: trader.usd_class_transfer(5, True),
        lambda: trader.spot_transfer(5, OTHER.address, "USDC:0x" + "0" * 32),
        lambda: trader.spot_transfer(5, OTHER.address, "USDC:0x" + "1" * 32),
        lambda: trader.send_asset(OTHER.address, "", "spot", "USDC:0x" + "0" * 32, 5),
        lambda: trader.withdraw_from_bridge(5, OTHER.address),
        lambda: trader.create_sub_account("sub"),
        lambda: trader.vault_usd_transfer(OTHER.address, True, 5),
        lambda: trader.approve_builder_fee(OTHER.address, "1.5%"),
        lambda: trader.spot_deploy_enable_freeze_privilege(1),
    ):
        pause()
        answers.append(ask())
    assert {answer["status"] for answer in answers} == {"err"}
    assert all(isinstance(answer["response"], str) for answer in answers)
    assert trader.info.user_state(TRADER.address)["marginSummary"]["accountValue"] == "100000.0"
