"""The stream as a client meets it: a real web server and real websockets, who is let in, and what arrives."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
import redis
import requests
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from apps.exchanges.execution.throttle import shared
from apps.exchanges.execution.throttle.shared import throttle_for
from apps.exchanges.models import Account, Fill, InstrumentRow, Portfolio, Venue
from apps.exchanges.registry import adapter_of
from apps.monitor.access.scopes import Scope
from apps.monitor.access.tokens import token_create
from apps.monitor.api.stream import endpoint, socket
from apps.strategies.models import StrategyRow, Tick
from moondev.domain.clock import LiveClock
from tests.browser.scenery import NOW, PASSWORD, filled_order
from tests.support.web import serving

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True), pytest.mark.timeout(120)]


@pytest.fixture
def home():
    with serving() as address:
        yield address


@pytest.fixture
def world(db):
    venue = Venue.objects.create(
        code="hyperliquid",
        protocol="hyperliquid",
        environment="paper",
        rest_url="http://localhost:1/",
        websocket_url="-",
    )
    portfolio = Portfolio.objects.create(code="paper", currency="USDC", environment="paper")
    Account.objects.create(code="paper-1", venue=venue, portfolio=portfolio, address="0x1", currency="USDC")
    InstrumentRow.objects.create(
        venue=venue, symbol="BTC", asset="BTC", quote="USDC", tick=Decimal(1), significant_figures=5,
        lot=Decimal("0.001"), min_notional=Decimal(10), max_leverage=20,
    )  # fmt: skip
    users = get_user_model().objects
    users.create_superuser("operator", password=PASSWORD)
    users.create_user("customer", password=PASSWORD)
    viewer = users.create_user("viewer", password=PASSWORD, is_staff=True)
    viewer.user_permissions.set(Permission.objects.filter(codename="view_fill"))


def cookies(home, name):
    made = requests.Session()
    made.get(f"http://{home}/admin/login/", timeout=10)
    form = {"username": name, "password": PASSWORD, "csrfmiddlewaretoken": made.cookies["csrftoken"]}
    made.post(f"http://{home}/admin/login/?next=/admin/login/", form, timeout=10)
    return "; ".join(f"{key}={value}" for key, value in made.cookies.items())


def opened(home, name=None, **headers):
    more = {"Cookie": cookies(home, name)} if name else {}
    return connect(f"ws://{home}/api/v1/stream", additional_headers={**more, **headers}, compression=None)


def say(line, **words):
    line.send(json.dumps(words))


def heard(line, **wanted):
    """Return the next message that has these words; pulses and other topics pass by."""
    for _ in range(200):
        told = json.loads(line.recv(timeout=20))
        if all(told.get(key) == value for key, value in wanted.items()):
            return told
    raise AssertionError(f"nothing like {wanted}")


def refusal(home, name=None, **headers):
    with pytest.raises(InvalidStatus) as caught:
        opened(home, name, **headers)
    answer = caught.value.response
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, json.loads(answer.body)["detail"]


def test_only_staff_and_tokens_are_let_in_and_only_from_pages_of_ours(home, world, caplog):
    assert refusal(home)[0] == 401
    # The admin lets a customer not in, so there is no session either.
    assert refusal(home, "customer")[0] == 401
    assert refusal(home, "operator", Origin="https://evil.example")[0] == 403
    assert refusal(home, Authorization="Bearer mdat_made_up")[0] == 401
    # To turn somebody away is no error of ours.
    assert not [line.message for line in caplog.records if line.levelname == "ERROR"]
    with opened(home, "operator", Origin=f"http://{home}") as line:
        say(line, do="ping")
        assert heard(line, kind="pong")
    now = LiveClock().now()
    _, secret = token_create(
        name="screen", user=get_user_model().objects.get(username="operator"), scopes=[Scope.READ],
        expires_at=now + timedelta(days=1), actor="test", now=now,
    )  # fmt: skip
    with opened(home, Authorization=f"Bearer {secret}") as line:
        say(line, do="subscribe", topics=["fills"])
        assert heard(line, kind="snapshot", topic="fills")["rows"] == {}


def test_a_fill_arrives_as_a_change_exactly_as_the_database_has_it(home, world):
    with opened(home, "operator") as line:
        say(line, do="subscribe", topics=["fills", "positions", "orders", "gates", "strategies", "news"])
        first = heard(line, kind="snapshot", topic="fills")
        assert first["rows"] == {}
        order = filled_order(quantity="0.250", price="107250.50")
        told = heard(line, kind="delta", topic="fills")
        assert told["since"] == first["seq"]
        (fill,) = told["rows"].values()
        assert (fill["quantity"], fill["price"], fill["order"]) == ("0.25", "107250.5", str(order.pk))
        assert fill["at"] == NOW.isoformat()
        say(line, do="unsubscribe", topics=["fills"])
        say(line, do="subscribe", topics=["fills"])
        assert heard(line, kind="snapshot", topic="fills")["rows"].keys() == told["rows"].keys()


def test_decisions_and_what_is_left_of_the_limits_arrive(home, world, settings, monkeypatch):
    # A machine that is slow at this moment shall not pass for a Redis that is away.
    patient = redis.Redis.from_url(settings.REDIS_URL)
    monkeypatch.setattr(shared, "_redis_client", lambda: patient)
    settings.MOONDEV_RATE_LIMITS = "on"
    # Nobody else has spent anything from there.
    settings.MOONDEV_EGRESS = address = uuid4().hex
    Account.objects.update(address=address)
    strategy = StrategyRow.objects.create(
        slug="turtle-btc", kind="turtle_trend", account=Account.objects.get(), capital=1
    )
    given = {"strategy": strategy, "trigger": "bar", "due_at": NOW, "deadline": NOW}
    refusal = {"code": "STALE_DATA", "limit": "1000", "value": "4000", "request": "opening buy"}
    took = {"started_at": NOW + timedelta(milliseconds=4), "finished_at": NOW + timedelta(milliseconds=30)}
    report = {"desired": [{"weight": 1}] * 9, "refusals": [refusal], "stages_ms": {"load": 3.5}}
    did = Tick.objects.create(event="e1", status="done", refused=1, report=report, **took, **given)
    Tick.objects.create(event="e2", status="running", **given)
    budgets = adapter_of("hyperliquid").budgets
    throttle_for("hyperliquid", budgets, address).spend({"weight": 21, "requests": 3})
    with opened(home, "operator") as line:
        say(line, do="subscribe", topics=["ticks"])
        (number, row), *others = heard(line, kind="snapshot", topic="ticks")["rows"].items()
        assert (number, others) == (str(did.pk), [])
        assert (row["waited_ms"], row["took_ms"], row["did"]["refused"]) == (4, 30, 1)
        assert (len(row["why"]["desired"]), row["why"]["refusals"]) == (3, [refusal])
        say(line, do="subscribe", topics=["venues"])
        # Which venues there are may take it a moment to find out.
        while "hyperliquid" not in (rows := heard(line, topic="venues")["rows"]):
            pass
        venue = rows["hyperliquid"]
        left = {(one["owner"], one["name"]): one for one in venue["budgets"]}
        weight = left["our address", "weight"]
        assert (weight["spent"], weight["of"], weight["room"], weight["foremost_room"]) == (21, 1200, 939, 1179)
        assert weight["room"] < weight["reserved_room"] < weight["foremost_room"]
        assert left["paper-1", "requests"]["spent"] == 3


def test_a_viewer_follows_what_they_may_see_and_nothing_else(home, world):
    with opened(home, "viewer") as line:
        say(line, do="subscribe", topics=["orders", "fills", "nothing", "candles:hyperliquid:BTC"])
        problems = [heard(line, kind="problem")["detail"] for _ in range(3)]
        assert "exchanges.view_order" in problems[0]
        assert "topic is 'nothing'" in problems[1]
        assert "candles:VENUE:SYMBOL:SECONDS" in problems[2]
        assert heard(line, kind="snapshot", topic="fills")["rows"] == {}


def test_who_only_makes_mistakes_is_sent_away(home, world, monkeypatch):
    monkeypatch.setattr(socket, "MISTAKES_MOST", 3)
    with opened(home, "operator") as line:
        for text in ("{", '{"do": "dance"}', "[]", "null"):
            line.send(text)
        with pytest.raises(ConnectionClosed) as caught:
            heard(line, kind="nothing")
        assert caught.value.rcvd.code == socket.POLICY


def chatter(line):
    """Say something over and over until the other end has enough."""
    for _ in range(200):
        say(line, do="ping")
        line.recv(timeout=20)


def test_who_says_too_much_is_sent_away(home, world, monkeypatch):
    monkeypatch.setattr(socket, "SAYS_AT_ONCE", 5.0)
    with opened(home, "operator") as line, pytest.raises(ConnectionClosed):
        chatter(line)


def test_who_is_logged_out_or_loses_a_right_follows_no_longer(home, world, monkeypatch):
    monkeypatch.setattr(endpoint, "LOOK_AGAIN_SECONDS", 0.05)
    with opened(home, "viewer") as line:
        say(line, do="subscribe", topics=["fills"])
        heard(line, kind="snapshot")
        get_user_model().objects.get(username="viewer").user_permissions.clear()
        with pytest.raises(ConnectionClosed):
            heard(line, kind="nothing")


def test_a_client_that_reads_nothing_costs_no_more_than_the_rows_themselves(home, world):
    with opened(home, "operator") as slow, opened(home, "operator") as quick:
        for line in (slow, quick):
            say(line, do="subscribe", topics=["fills"])
        heard(quick, kind="snapshot")
        for _ in range(20):
            filled_order_again()
            heard(quick, kind="delta", topic="fills")
        rows = {}
        while len(rows) < 20:
            rows |= heard(slow, topic="fills")["rows"]
        assert len(rows) == 20


def filled_order_again():
    """Write one more fill."""
    number = Fill.objects.count()
    if number == 0:
        filled_order()
        return
    fill = Fill.objects.first()
    fill.pk, fill.venue_trade_id = None, f"again-{number}"
    fill.save(force_insert=True)
