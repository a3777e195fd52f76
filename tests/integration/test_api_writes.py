"""Writes at the API: done once, on what was seen, in somebody's name; what is wrong gets a precise answer."""

from __future__ import annotations

import threading
from datetime import timedelta
from decimal import Decimal

import pytest

from apps.exchanges.models import Order, OrderCommand, Position, TradingState, Veto
from apps.monitor.access.roles import ADMINISTRATOR, RISK_MANAGER, TRADER
from apps.monitor.audit.verify import verify
from apps.monitor.models import ApiToken, AuditEntry, KeptAnswer
from apps.risk.models import Limit
from apps.strategies.by_hand import placing
from apps.strategies.models import StrategyRow, Tick
from moondev.domain.clock import LiveClock
from moondev.domain.market_data import InstrumentView
from tests.integration.api_world import Client, order_row, person, served, small_world, token_of, tokens_of_roles

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]
WHY = {"reason": "a test says so"}
BUY = WHY | {"account": "paper-1", "instrument": "hyperliquid:ETH", "side": "buy", "quantity": "1", "price": "990"}


class Market:
    """A market in which everything costs 1,000."""

    def views(self, wanted, now):
        second = timedelta(seconds=1)
        return {key: InstrumentView({}, None, 1000.0, second, 0.0, second) for key in wanted}


@pytest.fixture
def home():
    with served() as address:
        yield address


@pytest.fixture
def world(monkeypatch):
    monkeypatch.setattr(placing, "market_cache", Market)
    monkeypatch.setattr("apps.risk.vetoes.send", lambda *_, **__: None)
    monkeypatch.setattr("apps.exchanges.orders.wake.wake", lambda *_, **__: None)
    return small_world()


@pytest.fixture
def tokens(db):
    return tokens_of_roles()


def told(answer, status):
    """Return a problem's detail, once it is one as RFC 9457 says."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status
    return answer.json()["detail"]


def test_an_order_by_hand_is_one_order_however_often_it_is_asked_for(home, world, tokens):
    trader = Client(home, tokens[TRADER])
    assert "idempotency-key" in told(trader.post("/orders", json=BUY), 422)
    key = {"Idempotency-Key": "hedge-1"}
    answers = []

    def ask():
        answers.append(Client(home, tokens[TRADER]).post("/orders", json=BUY, headers=key))

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert Order.objects.filter(strategy="hand-paper-1").count() == 1
    again = trader.post("/orders", json=BUY, headers=key)
    assert again.headers["idempotency-replayed"] == "true"
    [order] = again.json()["items"]
    assert (order["status"], order["quantity"], order["price"]) == ("approved", "1", "990")
    assert again.headers["location"] == f"/api/v1/orders/{order['id']}"
    assert "another request" in told(trader.post("/orders", json=BUY | {"quantity": "2"}, headers=key), 422)
    # Even when the kept answer is lost, the key is one order.
    KeptAnswer.objects.all().delete()
    assert trader.post("/orders", json=BUY, headers=key).json()["items"][0]["id"] == order["id"]
    # And never another one's: who reads that it is there would believe that he has sold.
    KeptAnswer.objects.all().delete()
    sell = BUY | {"side": "sell", "price": "1010"}
    assert f"that of order {order['id']}" in told(trader.post("/orders", json=sell, headers=key), 422)
    # Another caller's key is another key.
    other = Client(home, token_of(person(TRADER, "bea")))
    assert other.post("/orders", json=BUY, headers=key).json()["items"][0]["id"] != order["id"]
    whole = trader.get(f"/orders/{order['id']}").json()
    assert whole["steps"][0]["source"] == "hand"
    event = AuditEntry.objects.filter(action="strategy event added", subject__startswith="hand-paper-1").last()
    assert event.actor.startswith("trader via test (")
    assert event.address == "127.0.0.1"
    assert event.reason.startswith("by trader: a test says so")
    assert not verify().flaws


def test_a_refusal_of_the_review_says_why_and_sends_nothing(home, world, tokens):
    trader = Client(home, tokens[TRADER])
    detail = told(trader.post("/orders", json=BUY | {"quantity": "500"}, headers={"Idempotency-Key": "a"}), 422)
    assert detail.startswith("NOTIONAL_EXCEEDS_MAXIMUM")
    assert Order.objects.get(strategy="hand-paper-1").status == "refused"
    assert "turtle does" in told(
        trader.post("/orders", json=BUY | {"instrument": "hyperliquid:BTC"}, headers={"Idempotency-Key": "b"}), 422
    )


def test_orders_are_listed_followed_and_cancelled(home, world, tokens):
    trader, now = Client(home, tokens[TRADER]), LiveClock().now()
    rows = [order_row(world.account, world.btc, "turtle", now + timedelta(seconds=n)) for n in range(1, 5)]
    for query in ({}, {"strategy": "turtle"}, {"live": "true", "account": "paper-1", "instrument": "hyperliquid:BTC"}):
        first = trader.get("/orders", params={"limit": 3, **query}).json()
        rest = trader.get("/orders", params={"before": first["next_before"], **query}).json()
        ids = [one["id"] for one in (*first["items"], *rest["items"])]
        assert ids == [row.pk for row in reversed(rows)] + [world.order.pk], query
        assert rest["next_before"] is None
    whole = trader.get(f"/orders/{world.order.pk}").json()
    assert [step["status_to"] for step in whole["steps"]] == ["approved", "sending", "open"]
    assert whole["stages_ms"]["row_to_sent"] == 30
    assert whole["fills"][0]["price"] == "1000"
    assert trader.post(f"/orders/{world.order.pk}/cancel", json=WHY).status_code == 200
    assert OrderCommand.objects.get().order == world.order
    Order.objects.update(status="filled")
    assert "it is over" in told(trader.post(f"/orders/{world.order.pk}/cancel", json=WHY), 409)
    assert "no order" in told(trader.post("/orders/424242/cancel", json=WHY), 404)


def test_a_limit_is_changed_only_by_who_has_seen_it(home, world, tokens):
    manager = Client(home, tokens[RISK_MANAGER])
    limit = Limit.objects.get(kind="max_leverage")
    address = f"/risk/limits/{limit.pk}"
    seen = manager.get(address)
    assert manager.get(address, headers={"If-None-Match": seen.headers["ETag"]}).status_code == 304
    assert "If-Match" in told(manager.patch(address, json=WHY | {"value": "3"}), 428)
    changed = manager.patch(address, json=WHY | {"value": "3"}, headers={"If-Match": seen.headers["ETag"]})
    assert (changed.json()["value"], changed.json()["version"]) == ("3", 2)
    assert "changed since" in told(
        manager.patch(address, json=WHY | {"value": "4"}, headers={"If-Match": seen.headers["ETag"]}), 412
    )
    limit.refresh_from_db()
    assert limit.value == 3
    entry = AuditEntry.objects.get(action="limit changed")
    assert (entry.actor.split(" via")[0], entry.reason) == ("risk-manager", "a test says so")
    assert (entry.before["value"], entry.after["value"]) == (5, 3)
    assert manager.get(f"{address}/changes").json()["items"][0]["actor"] == "risk-manager"
    for value in ("0", "-1", "NaN", "Infinity", "1e40", "much", True, None):
        wrong = {"kind": "asset_share", "scope_kind": "portfolio", "scope_key": "paper", "value": value}
        told(manager.post("/risk/limits", json=WHY | wrong), 422)
    wrong = {"kind": "asset_share", "scope_kind": "portfolio", "scope_key": "paper", "value": "1.5"}
    assert "100 %" in told(manager.post("/risk/limits", json=WHY | wrong), 422)
    assert Limit.objects.get(kind="asset_share").value == Decimal("0.1")


def test_a_strategy_is_set_paused_ticked_and_taken_over(home, world, tokens, monkeypatch):
    trader, turtle = Client(home, tokens[TRADER]), "/strategies/turtle"
    monkeypatch.setattr("apps.strategies.orchestrator.withdraw.wake_accounts", lambda _: None)
    seen = trader.get(f"{turtle}/settings")
    match = {"If-Match": seen.headers["ETag"]}
    changed = trader.patch(f"{turtle}/settings", json=WHY | {"priority": 7}, headers=match)
    assert changed.json()["priority"] == 7, changed.text
    told(trader.patch(f"{turtle}/settings", json=WHY | {"priority": 8}, headers=match), 412)
    wrong = trader.patch(
        f"{turtle}/settings", json=WHY | {"parameters": {"nonsense": 1}}, headers={"If-Match": changed.headers["ETag"]}
    )
    assert "nonsense" in told(wrong, 422)
    assert trader.post(f"{turtle}/pause", json=WHY).json()["state"] == "paused"
    assert "not paused" in told(trader.post(f"{turtle}/ticks", json=WHY), 422)
    assert trader.post(f"{turtle}/resume", json=WHY).json()["state"] == "enabled"
    tick = trader.post(f"{turtle}/ticks", json=WHY)
    assert tick.status_code == 202
    assert Tick.objects.get().trigger == "manual"
    assert trader.get(f"{turtle}/ticks").json()["items"][0]["id"] == tick.json()["id"]
    whole = trader.get(f"/ticks/{tick.json()['id']}").json()
    assert (whole["strategy"], whole["trigger"], whole["orders"], whole["previous"]) == ("turtle", "manual", [], None)
    Tick.objects.all().delete()
    asked = WHY | {"strategy": "turtle", "instrument": "hyperliquid:BTC"}
    assert trader.post("/positions/take", json=asked).json()["quantity"] == "0.5"
    owners = {one["strategy"]: one["quantity"] for one in trader.get("/positions").json()["items"]}
    assert owners == {"hand-paper-1": "0.5"}
    assert trader.post("/positions/return", json=asked).json()["quantity"] == "0.5"
    assert Position.objects.get(strategy="turtle").quantity == Decimal("0.5")
    assert StrategyRow.objects.get().paused_reason == ""
    assert trader.post(f"{turtle}/disable", json=WHY).json()["state"] == "disabled"


def test_the_lever_is_pulled_by_a_trader_and_let_go_by_two_others(home, world, tokens, settings):
    settings.MOONDEV_RELEASE_NEEDS_SECOND_PERSON = True
    trader, manager = Client(home, tokens[TRADER]), Client(home, tokens[RISK_MANAGER])
    key = {"Idempotency-Key": "fire"}
    halted = [trader.post("/risk/halt", json=WHY | {"scope": "strategy:turtle"}, headers=key).json() for _ in range(2)]
    assert halted[0] == halted[1]
    assert Veto.objects.count() == 1
    assert TradingState.objects.get(scope_kind="strategy").actor == "trader"
    assert "misspelt" in told(trader.post("/risk/halt", json=WHY | {"scope": "strategy:misspelt"}), 422)
    Veto.objects.update(done_at=LiveClock().now())
    asked = manager.post("/risk/releases", json=WHY | {"scope": "strategy:turtle"}).json()
    assert asked["state"] == "waiting"
    # Two tokens of one person are not two persons.
    same = Client(home, token_of(ApiToken.objects.get(user__username="risk-manager").user))
    assert "another person" in told(same.post(f"/risk/releases/{asked['id']}/confirm"), 422)
    assert trader.get("/risk/halt").json()["releases"][0]["id"] == asked["id"]
    second = Client(home, tokens[ADMINISTRATOR])
    assert second.post(f"/risk/releases/{asked['id']}/confirm").json()["state"] == "released"
    assert TradingState.objects.get(scope_kind="strategy").mode == "active"


def test_costly_writes_come_from_near_and_halts_from_anywhere(home, world, tokens, settings):
    settings.API_CRITICAL_NETWORKS = ["10.0.0.0/8"]
    administrator = Client(home, tokens[ADMINISTRATOR])
    for method, address, body in (
        ("POST", "/orders", BUY), ("POST", "/risk/releases", {}), ("POST", "/risk/limits", {}),
        ("POST", "/strategies/turtle/enable", WHY), ("POST", "/positions/take", {}),
    ):  # fmt: skip
        assert "API_CRITICAL_NETWORKS" in told(administrator.request(method, address, json=body), 403)
    assert administrator.post("/risk/halt", json=WHY | {"scope": "everything"}).status_code == 200
    assert administrator.post("/strategies/turtle/pause", json=WHY).status_code == 200


def test_forged_replayed_and_misplaced_requests_change_nothing(home, world, tokens, settings):
    settings.API_RATE_OF_FAILURES = "1000/second"
    good = tokens[ADMINISTRATOR]
    halt, body = "/risk/halt", WHY | {"scope": "everything"}
    strange = f"{good}é".encode().decode("latin-1")
    forged = [good[:-2] + "xx", good.replace("mdat", "mdax"), "", "null", good.upper(), strange]
    for token in forged:
        told(Client(home).post(halt, json=body, headers={"Authorization": f"Bearer {token}"}), 401)
    told(Client(home).post(halt, json=body, headers={"Authorization": f"Basic {good}"}), 401)
    # A session cookie that somebody made up, and a token beside it that does not work.
    told(Client(home).post(halt, json=body, cookies={"sessionid": "x" * 32}), 401)
    ended = token_of(person(ADMINISTRATOR, "leaver"))
    ApiToken.objects.filter(user__username="leaver").update(revoked_at=LiveClock().now())
    told(Client(home, ended).post(halt, json=body), 401)
    far = token_of(person(ADMINISTRATOR, "traveller"), networks=["10.0.0.0/8"])
    told(Client(home, far).post(halt, json=body), 401)
    assert not Veto.objects.exists()
    refused = AuditEntry.objects.filter(action="api POST", actor="nobody", after__status=401)
    assert refused.count() == len(forged) + 4


def test_oversized_and_malformed_requests_get_a_precise_answer(home, world, tokens):
    client = Client(home, tokens[ADMINISTRATOR])
    assert "bytes at most" in told(client.post("/risk/halt", data=b"x" * 300_000), 413)
    assert "bytes at most" in told(client.post("/risk/halt", data=(b"x" * 100_000 for _ in range(4))), 413)
    for body in (b"{", b"[]", b'"x"', b"\xff\xfe", b'{"scope": "everything", "reason": "\\u0000\\u0000\\u0000"}'):
        answer = client.post("/risk/halt", data=body, headers={"Content-Type": "application/json"})
        assert answer.status_code in {400, 422}, (body, answer.text)
    told(client.post("/risk/halt", json=WHY | {"scope": "everything", "surprise": 1}), 422)
    told(client.post("/risk/halt", json=WHY | {"scope": "everything"}, headers={"Idempotency-Key": "k" * 101}), 400)
    for address in ("/orders/0", "/orders/99999999999999999999", "/orders/x", "/orders?before=0", "/orders?colour=red"):
        told(client.get(address), 422)
    told(client.get("/strategies/%00"), 400)
    told(client.get("/nothing"), 404)
    told(client.put("/orders", json={}), 405)
    assert not Veto.objects.exists()


def test_markup_stays_text(home, world, tokens):
    trader, evil = Client(home, tokens[TRADER]), "<script>alert(1)</script>"
    answer = trader.post("/strategies/turtle/pause", json={"reason": evil})
    assert answer.json()["paused_reason"] == evil
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]
    told_back = trader.get(f"/strategies/{evil}")
    assert told_back.headers["content-type"] == "application/problem+json"


def test_who_asks_too_often_is_told_when_to_come_back(home, world, tokens, settings):
    settings.API_RATE_PER_CALLER = "5/day"
    client, other = Client(home, tokens[TRADER]), Client(home, tokens[RISK_MANAGER])
    statuses = [client.get("/accounts").status_code for _ in range(7)]
    assert statuses == [200] * 5 + [429] * 2
    refused = client.get("/accounts")
    assert "5/day" in told(refused, 429)
    assert 1 <= int(refused.headers["Retry-After"]) <= 86_400
    assert other.get("/accounts").status_code == 200
    settings.API_RATE_OF_FAILURES = "3/day"
    tries = [Client(home, "mdat_0_wrong").get("/accounts").status_code for _ in range(5)]
    assert tries == [401] * 3 + [429] * 2
    settings.API_RATE_PER_ADDRESS = "1/day"
    assert [other.get("/accounts").status_code for _ in range(2)][-1] == 429
