"""An operator sets up a strategy and steers it, in a browser."""

from __future__ import annotations

import pytest

from apps.strategies.models import StrategyEvent, StrategyRow, Tick
from tests.browser.scenery import confirm, messages

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.timeout(120)]
LIST = "/admin/strategies/strategyrow/"


def open_strategy(page, live_server, strategy):
    page.goto(f"{live_server.url}{LIST}{strategy.pk}/change/")


def test_a_login_leads_to_the_operations(operator):
    assert "MoonDev AlgoTrade" in operator.title()
    assert operator.locator(".environment").inner_text().lower() == "paper"
    assert operator.locator("a.kill-switch-link").count() == 1


def test_a_strategy_is_created_from_a_preset_and_its_parameters_are_typed(operator, live_server):
    page = operator
    page.goto(f"{live_server.url}{LIST}add/")
    page.fill("#id_slug", "turtle-eth")
    page.select_option("#id_idea", "turtle_trend/fast")
    page.select_option("#id_account", label="paper-1")
    page.select_option("#id_instruments", label="hyperliquid:ETH")
    page.fill("#id_capital", "5000")
    page.click("input[name=_save]")
    row = StrategyRow.objects.get(slug="turtle-eth")
    assert "Check its parameters" in messages(page)
    assert page.url.endswith(f"{LIST}{row.pk}/change/")
    assert page.input_value("#id_parameter_s1_entry_bars") == "3"
    assert page.get_attribute("#id_parameter_s1_entry_bars", "type") == "number"
    assert page.get_attribute("#id_parameter_skip_s1_after_winner", "type") == "checkbox"
    assert page.locator("select#id_parameter_system option").count() == 3

    page.fill("#id_parameter_s1_entry_bars", "7")
    page.check("#id_parameter_session_only")
    page.select_option("#id_parameter_system", "s1")
    page.click("input[name=_save]")
    assert "changed successfully" in messages(page)
    row.refresh_from_db()
    assert row.parameters["s1_entry_bars"] == 7
    assert row.parameters["session_only"] is True
    assert row.parameters["system"] == "s1"
    assert row.parameters_version == 2
    assert not row.enabled


def test_a_parameter_out_of_range_is_named_and_nothing_is_saved(operator, live_server, strategy):
    page = operator
    open_strategy(page, live_server, strategy)
    page.fill("#id_parameter_n_bars", "1")
    page.fill("#id_parameter_risk_percent", "50")
    page.fill("#id_capital", "77")
    page.click("input[name=_save]")
    page.locator(".errornote").wait_for()
    errors = " ".join(page.locator(".field-parameter_n_bars .errorlist li").all_inner_texts())
    assert errors == "n_bars is 1; allowed: a whole number of at least 2 and of at most 200"
    assert page.locator(".field-parameter_risk_percent .errorlist li").count() == 1
    before = strategy
    after = StrategyRow.objects.get(pk=strategy.pk)
    assert (after.parameters, after.parameters_version, after.capital) == (before.parameters, 1, before.capital)
    assert not StrategyEvent.objects.filter(kind="updated").exists()


def test_a_strategy_is_enabled_after_a_question(operator, live_server, strategy):
    page = operator
    page.goto(f"{live_server.url}{LIST}")
    page.check(f"input[name=_selected_action][value='{strategy.pk}']")
    page.select_option("select[name=action]", "enable")
    page.click("button[name=index]")
    assert "It trades from its next tick on" in page.locator(".confirm").inner_text()
    assert not StrategyRow.objects.get().enabled
    confirm(page)
    assert "Enabled turtle-btc" in messages(page)
    assert StrategyRow.objects.get().enabled
    assert page.locator(".state").inner_text() == "enabled"


def test_a_tick_run_now_is_a_row_and_is_linked_from_the_list(operator, live_server, strategy):
    page = operator
    open_strategy(page, live_server, strategy)
    page.click("button.step-enable")
    confirm(page)
    open_strategy(page, live_server, strategy)
    page.click("button.step-tick_now")
    assert not Tick.objects.exists()
    confirm(page)
    tick = Tick.objects.get()
    assert tick.trigger == "manual"
    assert f"Made turtle-btc due: tick {tick.pk}" in messages(page)
    page.click(".field-last_tick a")
    assert "operator at" in page.locator("#tick_form, #content-main").first.inner_text()


def test_a_pause_wants_a_reason_and_shows_it(operator, live_server, strategy):
    page = operator
    open_strategy(page, live_server, strategy)
    page.click("button.step-enable")
    confirm(page)
    open_strategy(page, live_server, strategy)
    page.click("button.step-pause")
    page.eval_on_selector("#id_reason", "box => box.required = false")
    confirm(page, "  ")
    assert "Reason is empty" in messages(page)
    assert StrategyRow.objects.get().paused_reason == ""
    confirm(page, "the spread looks odd")
    assert "the spread looks odd" in page.locator("td.field-show_state").inner_text()
    assert StrategyRow.objects.get().paused_reason == "the spread looks odd"


def test_an_error_message_with_markup_is_shown_and_never_run(operator, live_server, strategy):
    evil = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
    StrategyEvent.objects.create(strategy=strategy.slug, at=strategy.created_at, kind="error", message=evil)
    Tick.objects.create(
        strategy=strategy, trigger="bar", event=evil[:120], status="failed", due_at=strategy.created_at,
        deadline=strategy.created_at, error=evil, report={"notes": [evil], "refusals": [{"code": evil}]},
    )  # fmt: skip
    page = operator
    tick = f"/admin/strategies/tick/{Tick.objects.get().pk}/change/"
    changes = f"{LIST}{strategy.pk}/change/"
    for address in (LIST, changes, "/admin/strategies/tick/", tick, "/admin/strategies/strategyevent/"):
        page.goto(f"{live_server.url}{address}")
        assert "<script>" in page.locator("#content").inner_text(), address
        assert page.title() != "owned", address
        assert page.locator("#content img[src=x]").count() == 0, address


def test_a_viewer_reads_and_cannot_act(world, log_in, live_server, strategy):
    page = log_in("viewer")
    page.goto(f"{live_server.url}{LIST}")
    assert page.locator("select[name=action]").count() == 0
    open_strategy(page, live_server, strategy)
    assert "s1_entry_bars" in page.locator("#content").inner_text()
    assert page.locator("#content input:not([type=hidden]), .step-buttons").count() == 0
    post(page, live_server, strategy, "enable")
    assert not StrategyRow.objects.get().enabled
    # The same request does act for somebody who may.
    page.context.clear_cookies()
    log_in("operator")
    assert post(page, live_server, strategy, "enable").status == 302
    assert StrategyRow.objects.get().enabled


def post(page, live_server, strategy, action):
    """Send a confirmed action past the pages, as somebody with bad intentions would."""
    cookies = {cookie["name"]: cookie["value"] for cookie in page.context.cookies()}
    form = {"action": action, "_selected_action": str(strategy.pk), "confirmed": "yes", "index": "0"}
    return page.request.post(
        f"{live_server.url}{LIST}", form=form, headers={"X-CSRFToken": cookies["csrftoken"]}, max_redirects=0
    )
