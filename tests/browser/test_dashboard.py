"""The dashboard in a browser: what it shows is what the database says, as it happens, to whom it may be shown."""

from __future__ import annotations

import gc
from datetime import timedelta
from decimal import Decimal

import pytest
from django.test.utils import override_settings

from apps.exchanges.models import Account, Fill, Order, Position, ScopeKind, TradingMode, TradingState
from apps.monitor.models import Alert, AlertRule
from apps.risk.models import Limit
from apps.risk.services import limit_set
from apps.strategies.by_hand import placing
from apps.strategies.models import Desk, StrategyRow, Tick
from moondev.domain.clock import LiveClock
from moondev.domain.market_data import InstrumentView
from tests.browser.conftest import PHONE
from tests.browser.scenery import NOW, PASSWORD, filled_order, refused_order
from tests.integration.limits_world import mark_equity
from tests.support.web import serving

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(180),
    # WhiteNoise hands Django its files as plain iterators; read in a thread, they are as good.
    pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume"),
    # A page that is left while its files load leaves Django with open ones, until they are collected.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
MARKUP = "<img src=x onerror=\"document.title='owned'\"><b>bold</b>"


@pytest.fixture
def home(world):
    with serving() as address:
        yield f"http://{address}"
    gc.collect()


@pytest.fixture
def enter(page, home):
    """Return what logs a person in and shows them the dashboard."""

    def show(user="operator"):
        page.goto(f"{home}/admin/login/?next=/dashboard/")
        page.fill("#id_username", user)
        page.fill("#id_password", PASSWORD)
        page.click("input[type=submit]")
        page.wait_for_url("**/dashboard/")
        page.locator(".line.live").wait_for()
        return page

    return show


def panel(page, area):
    found = page.locator(f".panel-{area}[aria-busy=false]")
    found.wait_for()
    return found


def wait_for_text(page, area, text):
    panel(page, area).get_by_text(text).first.wait_for()


def tick_of(slug, **report):
    return Tick.objects.create(
        strategy=StrategyRow.objects.get(slug=slug), trigger="bar", event="e1", status="done", due_at=NOW, deadline=NOW,
        finished_at=NOW, report=report, refused=len(report.get("refusals", ())),
    )  # fmt: skip


def test_what_is_on_the_page_is_what_the_database_says(enter, strategy):
    filled_order(quantity="0.25", price="107250.5")
    wish = {"instrument": "hyperliquid:BTC", "weight": 0.5, "reason": "above the high of 20 bars"}
    tick_of("turtle-btc", desired=[wish], notes=[], plan=[], refusals=[])
    page = enter()
    position = Position.objects.get()
    row = panel(page, "positions").locator("tbody tr").first
    assert row.locator("[data-cell=quantity]").inner_text() == f"{position.quantity.normalize():f}"
    fill = panel(page, "fills").locator("[data-fill]").first
    assert fill.locator("[data-cell=price]").inner_text() == "@ 107,250.5"
    assert "above the high of 20 bars" in panel(page, "strategies").inner_text()
    assert "turtle-btc bought 0.25 BTC at 107,250.5 on hyperliquid" in panel(page, "latest").inner_text()
    refused_order()
    wait_for_text(page, "latest", "notional exceeds maximum")


def test_what_happens_appears_by_itself_and_what_ends_goes(enter, strategy):
    page = enter()
    wait_for_text(page, "positions", "Nothing is held.")
    filled_order(quantity="0.5")
    panel(page, "positions").locator("tbody tr").wait_for()
    Position.objects.update(quantity=Decimal("-1.25"))
    panel(page, "positions").get_by_text("\u22121.25").wait_for()
    Position.objects.update(quantity=0)
    wait_for_text(page, "positions", "Nothing is held.")
    assert Fill.objects.count() == 1


def test_an_order_shows_its_whole_life(enter, strategy):
    order = filled_order()
    Order.objects.update(filled_notional=order.price * order.quantity)
    page = enter()
    panel(page, "orders").locator(f"[data-order='{order.pk}']").click()
    life = page.locator(".life")
    life.locator(".steps li").first.wait_for()
    words = [line.split()[1] for line in life.locator(".steps li").all_inner_texts()]
    assert words == ["created", "approved", "sending", "open", "filled"]
    assert "turtle-btc bought 0.25 hyperliquid:BTC at 107,250" in life.locator(".story").inner_text()
    page.keyboard.press("Escape")
    life.wait_for(state="detached")


def test_the_kill_switch_asks_what_how_and_why_and_then_halts(enter, strategy):
    page = enter()
    page.click(".top .kill")
    dialog = page.locator("dialog.dialog[open]")
    halt = dialog.locator("button[type=submit]")
    assert halt.is_disabled()
    dialog.locator("select[name=scope]").select_option("account:paper-1")
    dialog.locator("input[name=reason]").fill("looks wrong")
    assert halt.is_disabled()
    assert TradingState.objects.get(scope_key="paper-1").mode == TradingMode.ACTIVE
    dialog.locator("input[name=sure]").check()
    halt.click()
    assert page.locator(".message").inner_text() == "account:paper-1: halt engaged"
    wait_for_text(page, "stops", "account paper-1")
    state = TradingState.objects.get(scope_kind=ScopeKind.ACCOUNT, scope_key="paper-1")
    assert (state.mode, state.reason, state.actor) == (TradingMode.HALTED, "looks wrong", "operator")
    assert "halted" in page.locator(".mode-pill").inner_text()


def answer(page, reason, sure=False):
    """Answer the question that a button asks."""
    dialog = page.locator("dialog[open]")
    dialog.locator("input[name=reason]").fill(reason)
    submit = dialog.locator("button[type=submit]")
    if sure:
        assert submit.is_disabled()
        dialog.locator("input[name=sure]").check()
    submit.click()


def done(page, words):
    page.locator(".message.good", has_text=words).wait_for()


def test_a_strategy_is_paused_taken_over_given_back_and_ticked(enter, strategy):
    StrategyRow.objects.update(enabled=True)
    Desk.objects.create(account=Account.objects.get(), capital=10_000)
    filled_order()
    page = enter()
    panel(page, "strategies").get_by_role("button", name="pause").click()
    answer(page, "too wild")
    done(page, "turtle-btc is paused")
    assert "too wild" in StrategyRow.objects.get().paused_reason
    panel(page, "strategies").get_by_role("button", name="resume").click()
    answer(page, "calmer", sure=True)
    done(page, "goes on")
    panel(page, "strategies").get_by_role("button", name="tick").click()
    answer(page, "now please", sure=True)
    done(page, "decides now")
    assert Tick.objects.get().trigger == "manual"
    # Taking over waits for nobody's tick.
    Tick.objects.update(status="done", finished_at=NOW)
    panel(page, "positions").get_by_role("button", name="take over").click()
    answer(page, "news at three", sure=True)
    done(page, "is taken over")
    held = Position.objects.exclude(quantity=0).get()
    assert (held.strategy, held.quantity) == ("hand-paper-1", Decimal("0.25"))
    assert "news at three" in StrategyRow.objects.get().paused_reason
    panel(page, "positions").get_by_role("button", name="give back").click()
    answer(page, "over", sure=True)
    done(page, "is given back")
    assert Position.objects.exclude(quantity=0).get().strategy == "turtle-btc"
    assert StrategyRow.objects.get().paused_reason == ""


def test_an_order_by_hand_is_placed_once_refused_in_words_and_cancelled(enter, strategy, monkeypatch):
    monkeypatch.setattr(placing, "market_cache", Market)
    mark_equity(Account.objects.get(), LiveClock().now())
    Desk.objects.create(account=Account.objects.get(), capital=10_000)
    page = enter()
    panel(page, "orders").get_by_role("button", name="Order by hand").click()
    form = page.locator("dialog[open]")
    form.locator("select[name=instrument]").select_option("hyperliquid:BTC")
    form.locator("input[name=quantity]").fill("0.01")
    form.locator("input[name=price]").fill("-1")
    answer(page, "hedge", sure=True)
    # The browser itself refuses what is no number; nothing is sent.
    assert form.locator("input[name=price]:invalid").count() == 1
    form.locator("input[name=price]").fill("500")
    form.locator("input[name=sure]").check()
    form.locator("button[type=submit]").click()
    form.locator(".trouble", has_text="notional below minimum (it is 5").wait_for()
    assert Order.objects.get().status == "refused"
    lost = []
    # The answer to the first press is lost on its way; the page asks again and it is still one order.
    page.route("**/api/v1/orders", lambda route: lose(route, lost))
    form.locator("input[name=price]").fill("1000")
    form.locator("input[name=sure]").check()
    form.locator("button[type=submit]").click()
    page.locator(".life .story").wait_for()
    assert len(lost) == 1
    order = Order.objects.exclude(status="refused").get()
    assert (order.strategy, order.quantity, order.price) == ("hand-paper-1", Decimal("0.01"), Decimal(1000))
    assert "by operator: hedge" in page.locator(".life .reasons").inner_text()
    page.locator(".life").get_by_role("button", name="Cancel this order").click()
    answer(page, "changed my mind")
    done(page, "cancel asked for")
    # It had not been sent, so it is over at once.
    assert Order.objects.get(pk=order.pk).status == "cancelled"


def lose(route, lost):
    """Let a request through, and its first answer not."""
    answered = route.fetch()
    if lost:
        route.fulfill(response=answered)
    else:
        lost.append(answered.status)
        route.abort()


class Market:
    """The market as an order by hand sees it."""

    def views(self, wanted, now):
        """Return a price for everything."""
        return {key: InstrumentView({}, None, 1000.0, timedelta()) for key in wanted}


def test_a_limit_is_changed_and_what_somebody_else_changed_is_not_overwritten(enter, strategy):
    limit = Limit.objects.filter(kind="max_leverage").first()
    page = enter()
    button = panel(page, "limits").locator(f"[data-limit='{limit.pk}']").first
    button.click()
    form = page.locator("dialog[open]")
    form.locator("input[name=value]").fill("2")
    limit_set(
        kind=limit.kind, scope_kind=limit.scope_kind, scope_key=limit.scope_key, value=Decimal(4), actor="ana", now=NOW
    )
    answer(page, "calmer")
    form.locator(".trouble", has_text="Somebody changed it meanwhile by ana").wait_for()
    assert Limit.objects.get(pk=limit.pk).value == 4
    form.locator("button[type=submit]").click()
    done(page, "is 2")
    assert Limit.objects.get(pk=limit.pk).value == 2


def test_from_a_strategy_to_what_it_saw_wanted_and_was_refused(enter, strategy):
    refusal = {"code": "DATA_TOO_OLD", "limit": "1000", "value": "4200", "request": "opening buy 0.25 hyperliquid:BTC"}
    tick = tick_of(
        "turtle-btc", desired=[{"instrument": "hyperliquid:BTC", "weight": 0.5, "reason": MARKUP}], refusals=[refusal],
        seen={"hyperliquid:BTC": {"price": "107250.5", "held": "0", "working": 2}}, notes=["by the book"],
        plan=["opening buy 0.25 hyperliquid:BTC @ 107251"], age_ms={"hyperliquid:BTC": 4200},
        stages_ms={"load": 3, "decide": 1},
    )  # fmt: skip
    order = refused_order()
    Order.objects.update(tick_id=str(tick.pk))
    page = enter()
    panel(page, "strategies").locator(f"[data-tick='{tick.pk}']").click()
    told = page.locator(".life .chain")
    told.wait_for()
    words = told.inner_text()
    assert "107,250.5" in words
    assert "4.2 s old" in words
    assert "2 orders working" in words
    assert "by the book" in words
    assert "opening buy 0.25 hyperliquid:BTC @ 107251" in words
    assert "data too old (it is 4200, the limit is 1000)" in words
    assert page.locator(".life img").count() == 0
    told.locator(".sent button").click()
    page.locator(".life .reasons", has_text="notional exceeds maximum").wait_for()
    page.locator(".life").get_by_role("button", name="Back").click()
    page.locator(".life .story", has_text="turtle-btc decided").wait_for()
    page.keyboard.press("Escape")
    # The same from the order itself, and from the list of decisions.
    panel(page, "orders").locator(f"[data-order='{order.pk}']").click()
    page.locator(".life .chain", has_text="107,250.5").wait_for()
    page.keyboard.press("Escape")
    panel(page, "ticks").locator(f"[data-tick='{tick.pk}']").click()
    page.locator(".life .chain").wait_for()


def test_an_alert_is_counted_acknowledged_and_fades(enter, strategy):
    alert = firing_alert()
    page = enter()
    page.locator(".alert-count", has_text="1 alert").wait_for()
    assert page.title() == "(1) MoonDev AlgoTrade"
    row = panel(page, "alerts").locator(f"[data-alert='{alert.pk}']")
    assert MARKUP in row.inner_text()
    row.get_by_role("button", name="acknowledge").click()
    answer(page, "on it")
    row.locator(".pill", has_text="acknowledged").wait_for()
    alert.refresh_from_db()
    assert (alert.state, alert.acknowledged_by) == ("acknowledged", "operator")
    page.locator(".alert-count").wait_for(state="detached")
    assert page.title() == "MoonDev AlgoTrade"
    row.get_by_role("button", name="false alarm").click()
    answer(page, "a test")
    done(page, "noted as a false alarm")
    alert.refresh_from_db()
    assert alert.label == "false"


def firing_alert():
    now = LiveClock().now()
    rule = AlertRule.objects.create(slug="of-a-test", title="Venue is down", reading="venue_down", threshold=1)
    return Alert.objects.create(
        rule=rule, scope="venue:hyperliquid", severity="critical", title=f"Venue is down {MARKUP}", threshold=1,
        value=1, state="firing", since=now, fired_at=now, seen_at=now,
    )  # fmt: skip


def test_a_viewer_sees_everything_and_is_offered_nothing(enter, strategy):
    filled_order()
    firing_alert()
    page = enter("viewer")
    panel(page, "fills").locator("[data-fill]").first.wait_for()
    panel(page, "alerts").locator("[data-alert]").wait_for()
    panel(page, "positions").locator("tbody tr").wait_for()
    offered = page.locator(
        "main .panel button:not([data-order], [data-fill], [data-tick], .segments button, .latest button)"
    )
    assert set(offered.all_inner_texts()) <= {"BTC", "turtle-btc"}
    assert page.locator(".top .kill").count() == 0


def test_markup_in_any_word_is_shown_and_does_nothing(enter, strategy):
    order = filled_order()
    Order.objects.filter(pk=order.pk).update(reason=MARKUP)
    StrategyRow.objects.update(paused_reason=MARKUP, enabled=True)
    TradingState.objects.create(
        scope_kind=ScopeKind.STRATEGY, scope_key="turtle-btc", mode=TradingMode.REDUCING, reason=MARKUP, actor=MARKUP,
        changed_at=NOW,
    )  # fmt: skip
    page = enter()
    wait_for_text(page, "stops", "onerror")
    wait_for_text(page, "latest", "onerror")
    panel(page, "orders").locator(f"[data-order='{order.pk}']").click()
    page.locator(".life .reasons li").first.wait_for()
    assert page.locator("#page img, #page .panel b b").count() == 0
    assert page.title() == "MoonDev AlgoTrade"


def test_nothing_jumps_is_cut_off_or_loads_from_elsewhere(enter, page, strategy, home):
    asked, faults = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if "Content Security" in message.text else None)
    page.add_init_script(
        "window.shift = 0; new PerformanceObserver(list => list.getEntries().forEach(one => window.shift += one.value))"
        ".observe({type: 'layout-shift', buffered: true});"
    )
    filled_order()
    enter()
    panel(page, "fills").locator("[data-fill]").first.wait_for()
    panel(page, "strategies")
    # Google's bound for a page that does not jump (web.dev, Cumulative Layout Shift) is 0.1.
    assert page.evaluate("window.shift") < 0.02
    page.set_viewport_size(PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    before = page.evaluate("document.documentElement.dataset.theme")
    page.get_by_role("button", name="colours").click()
    assert page.evaluate("document.documentElement.dataset.theme") != before
    assert faults == []
    assert [url for url in asked if not url.startswith((home, home.replace("http", "ws"), "data:"))] == []


def test_everything_to_press_is_reached_with_the_keyboard(enter, strategy):
    page = enter()
    panel(page, "strategies")
    reached = set()
    for _ in range(70):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.textContent.trim()"))
    assert {"Kill switch", "Admin", "stop", "1 d", "Set a limit", "Order by hand", "all"} <= reached


def test_a_lost_line_is_told_and_comes_back(enter, page, strategy, world):
    with serving() as first:
        page.goto(f"http://{first}/admin/login/?next=/dashboard/")
        page.fill("#id_username", "operator")
        page.fill("#id_password", PASSWORD)
        page.click("input[type=submit]")
        page.locator(".line.live").wait_for()
    page.locator(".line.lost").wait_for()


def test_nobody_sees_the_page_without_a_login(page, home):
    page.goto(f"{home}/dashboard/")
    assert "/admin/login/" in page.url
    with override_settings(MOONDEV_LIVE_TRADING=True):
        page.fill("#id_username", "operator")
        page.fill("#id_password", PASSWORD)
        page.click("input[type=submit]")
        page.wait_for_url("**/dashboard/")
        page.get_by_text("real money").wait_for()
