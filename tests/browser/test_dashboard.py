"""The dashboard in a browser: what it shows is what the database says, as it happens, to whom it may be shown."""

from __future__ import annotations

import gc
from decimal import Decimal

import pytest
from django.test.utils import override_settings

from apps.exchanges.models import Fill, Order, Position, ScopeKind, TradingMode, TradingState
from apps.strategies.models import StrategyRow, Tick
from tests.browser.conftest import PHONE
from tests.browser.scenery import NOW, PASSWORD, filled_order, refused_order
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
        finished_at=NOW, report=report,
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
    wait_for_text(page, "latest", "NOTIONAL_EXCEEDS_MAXIMUM")


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


def test_a_strategy_is_paused_with_a_reason(enter, strategy):
    StrategyRow.objects.update(enabled=True)
    page = enter()
    page.once("dialog", lambda dialog: dialog.accept("too wild"))
    panel(page, "strategies").get_by_role("button", name="pause").click()
    wait_for_text(page, "strategies", "paused")
    assert "too wild" in StrategyRow.objects.get().paused_reason


def test_a_viewer_sees_everything_and_can_press_nothing(enter, strategy):
    filled_order()
    page = enter("viewer")
    panel(page, "fills").locator("[data-fill]").first.wait_for()
    assert panel(page, "strategies").locator("button").count() == 0
    page.click(".top .kill")
    dialog = page.locator("dialog.dialog[open]")
    dialog.locator("input[name=reason]").fill("let me")
    dialog.locator("input[name=sure]").check()
    assert dialog.locator("button[type=submit]").is_disabled()
    assert not TradingState.objects.filter(scope_kind="everything").exists()


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
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.textContent.trim()"))
    assert {"Kill switch", "Admin", "stop", "1 d", "Edit"} <= reached


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
