"""An operator starts a backtest from a strategy, sees it end, reads its report and compares it, in a browser."""

from __future__ import annotations

import pyarrow.parquet as pq
import pytest
from django.db import transaction

from apps.exchanges.market_data.history.series import table_of_bars
from apps.strategies.backtest import services
from apps.strategies.models import BacktestRun
from apps.strategies.tasks import backtest as backtest_task
from tests.browser.conftest import PHONE
from tests.browser.scenery import confirm, messages
from tests.unit.apps.strategies.backtest.runs import walk

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.timeout(120)]
LIST = "/admin/strategies/backtestrun/"


@pytest.fixture
def shelf(tmp_path, settings):
    """Put ten weeks of hours where operators may choose from."""
    settings.MOONDEV_DATA_DIR = tmp_path
    pq.write_table(table_of_bars(walk(1_000)), tmp_path / "hyperliquid-perp_BTCUSDC_1h.parquet")
    return tmp_path


@pytest.fixture
def worker(monkeypatch):
    """Let a message reach its task at once, as if a research worker stood ready."""
    monkeypatch.setattr(services, "wake", lambda _task, run_id: transaction.on_commit(lambda: backtest_task(run_id)))


@pytest.fixture
def waiting(monkeypatch):
    """Let messages wait: every worker is busy."""
    monkeypatch.setattr(services, "wake", lambda *_, **__: None)


def start(page, live_server, idea):
    page.goto(f"{live_server.url}{LIST}add/")
    page.select_option("#id_idea", idea)
    page.select_option("#id_recorded", "hyperliquid-perp_BTCUSDC_1h.parquet")
    page.click("input[type=submit].default")


def test_a_strategy_is_backtested_from_its_list_and_its_report_is_read(operator, live_server, strategy, shelf, worker):
    page = operator
    page.goto(f"{live_server.url}/admin/strategies/strategyrow/")
    page.check(f"input[name=_selected_action][value='{strategy.pk}']")
    page.select_option("select[name=action]", "backtest")
    page.click("button[name=index]")
    page.wait_for_url(f"**{LIST}add/?strategy={strategy.pk}")
    assert page.locator("#id_strategies option:checked").inner_text() == "turtle-btc"
    page.select_option("#id_idea", "turtle_trend/fast")
    page.select_option("#id_recorded", "hyperliquid-perp_BTCUSDC_1h.parquet")
    page.click("input[type=submit].default")
    # An hour of bars cannot show the minutes this preset looks at; the run says so, and nothing else happened.
    run = BacktestRun.objects.get()
    assert "interval is" in page.locator(".field-show_error").inner_text()
    assert (run.status, run.metrics, run.strategy) == ("failed", {}, strategy)

    start(page, live_server, "nadaraya_watson/canonical")
    assert "Queued" in messages(page)
    assert page.locator(".field-show_status .word").inner_text() == "done"
    assert "Max drawdown" in page.locator(".field-show_figures").inner_text()
    page.click("text=Open the report")
    page.locator("#time .panel svg path").first.wait_for()
    assert "Where the money went" in page.inner_text("main")
    before = page.locator("#moment").inner_text()
    page.click("[data-days='7']")
    assert page.locator("#moment").inner_text() != before
    page.locator("#time").focus()
    page.keyboard.press("0")
    assert page.locator("#moment").inner_text() == before
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.click("#theme")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != dark


def test_runs_are_compared_from_the_list_and_fit_a_phone(operator, live_server, world, shelf, worker):
    for idea in ("nadaraya_watson/canonical", "nadaraya_watson/original"):
        start(operator, live_server, idea)
    page = operator
    page.goto(f"{live_server.url}{LIST}")
    assert page.locator(".word-good").count() == 2
    page.check("#action-toggle")
    page.select_option("select[name=action]", "compare")
    page.click("button[name=index]")
    page.locator("#time .panel svg path").first.wait_for()
    assert "Same data, period, costs and rules" in page.inner_text("main")
    assert page.locator("tr.differs").count() >= 1

    page.set_viewport_size(PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.goto(f"{live_server.url}{LIST}{BacktestRun.objects.latest('pk').pk}/report/")
    page.locator("#time .panel svg path").first.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_what_cannot_be_run_is_told_at_its_field_and_nothing_is_queued(operator, live_server, world, shelf, worker):
    page = operator
    page.goto(f"{live_server.url}{LIST}add/")
    page.click("input[type=submit].default")
    assert "idea is empty" in page.locator(".field-idea .errorlist").inner_text()
    page.select_option("#id_idea", "nadaraya_watson/canonical")
    page.click("input[type=submit].default")
    assert "data is 'none'" in page.locator(".field-recorded .errorlist").inner_text()
    assert not BacktestRun.objects.exists()


def test_a_waiting_run_is_cancelled(operator, live_server, world, shelf, waiting):
    page = operator
    start(page, live_server, "nadaraya_watson/canonical")
    assert page.locator(".field-show_status .word").inner_text() == "queued"
    page.click(".step-halt")
    confirm(page)
    assert "Cancelled" in messages(page)
    assert BacktestRun.objects.get().status == "cancelled"


def test_who_may_only_look_starts_nothing(world, log_in, live_server, shelf):
    page = log_in("viewer")
    page.goto(f"{live_server.url}{LIST}")
    assert page.locator(".addlink", has_text="backtest").count() == 0
    assert page.goto(f"{live_server.url}{LIST}add/").status == 403
