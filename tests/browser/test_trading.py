"""Limits, orders and the kill switch, in a browser."""

from __future__ import annotations

from datetime import timedelta

import pytest

from apps.exchanges.models import Order, TradingMode, TradingState, TradingStateChange, Veto
from apps.risk.models import Limit, LimitChange, LimitKind
from tests.browser.scenery import NOW, confirm, filled_order, messages, refused_order, texts

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.timeout(120)]
KILL_SWITCH = "/admin/exchanges/tradingstate/kill-switch/"


def mode(kind="everything", key="*"):
    return TradingState.objects.filter(scope_kind=kind, scope_key=key).values_list("mode", flat=True).first()


def everything_done():
    """Say what the venue's veto worker says when it has finished."""
    Veto.objects.update(stage="done", done_at=NOW + timedelta(seconds=1))


def post(page, url, **form):
    """Send a form past the pages, as somebody with bad intentions would."""
    cookies = {cookie["name"]: cookie["value"] for cookie in page.context.cookies()}
    return page.request.post(url, form=form, headers={"X-CSRFToken": cookies["csrftoken"]}, max_redirects=0)


def test_a_limit_is_edited_and_its_history_is_kept(operator, live_server):
    limit = Limit.objects.get(kind=LimitKind.MAX_LEVERAGE)
    page = operator
    page.goto(f"{live_server.url}/admin/risk/limit/{limit.pk}/change/")
    page.fill("#id_value", "2.5")
    page.click("input[name=_save]")
    assert "changed successfully" in messages(page)
    limit.refresh_from_db()
    assert (limit.value.normalize(), limit.version) == (2 + 1 / 2, 2)
    newest = LimitChange.objects.filter(limit=limit).first()
    assert (newest.actor, newest.version) == ("operator", 2)
    page.goto(f"{live_server.url}/admin/risk/limit/{limit.pk}/change/")
    assert "operator" in " ".join(texts(page, ".inline-group tbody"))


def test_a_limit_of_zero_is_refused_and_nothing_changes(operator, live_server):
    limit = Limit.objects.get(kind=LimitKind.MAX_LEVERAGE)
    page = operator
    page.goto(f"{live_server.url}/admin/risk/limit/{limit.pk}/change/")
    page.fill("#id_value", "0")
    page.click("input[name=_save]")
    assert texts(page, ".field-value .errorlist li") == ["value is 0; allowed: a number above 0"]
    assert Limit.objects.get(pk=limit.pk).version == limit.version


def test_orders_show_their_history_and_cannot_be_changed(operator, live_server, strategy):
    order = filled_order()
    refused_order()
    page = operator
    page.goto(f"{live_server.url}/admin/exchanges/order/?status__exact=refused")
    assert "NOTIONAL_EXCEEDS_MAXIMUM" in " ".join(texts(page, "#result_list tbody tr"))
    address = f"{live_server.url}/admin/exchanges/order/{order.pk}/"
    page.goto(f"{address}change/")
    history = " ".join(texts(page, "#events-group tbody tr"))
    assert [word for word in ("approved", "sending", "open", "filled") if word not in history] == []
    assert page.locator("#content input[type=submit], #content .deletelink, #content input[type=text]").count() == 0
    assert post(page, f"{address}change/", quantity="9").status == 403
    assert post(page, f"{address}delete/", post="yes").status == 403
    order.refresh_from_db()
    assert order.quantity != 9
    assert Order.objects.count() == 2


@pytest.mark.parametrize("step", ["halt", "flatten"])
def test_the_kill_switch_halts_everything_and_lets_it_go_on_with_a_reason(operator, live_server, step):
    page = operator
    page.click("a.kill-switch-link")
    page.click(f".big-buttons a[href*='/{step}/']")
    assert mode() is None
    confirm(page, "prices look wrong")
    assert "Everything is halted" in messages(page)
    assert mode() == TradingMode.HALTED
    veto = Veto.objects.get()
    assert (veto.venue_id, veto.actor, veto.flatten) == ("hyperliquid", "operator", step == "flatten")
    assert "halted" in texts(page, ".big-mode")[0]

    page.click(".big-buttons .big-release")
    confirm(page, "too early")
    assert "still under way at hyperliquid" in messages(page)
    assert mode() == TradingMode.HALTED

    everything_done()
    page.click(".big-buttons .big-release")
    confirm(page, "a wrong alarm")
    assert mode() == TradingMode.ACTIVE
    assert "active" in texts(page, ".big-mode")[0]
    change = TradingStateChange.objects.first()
    assert (change.mode_to, change.actor, change.reason) == ("active", "operator", "a wrong alarm")


def test_the_kill_switch_does_nothing_without_a_reason(operator, live_server):
    page = operator
    page.goto(f"{live_server.url}{KILL_SWITCH}halt/?scope=everything:*")
    page.eval_on_selector("#id_reason", "box => box.required = false")
    confirm(page, " ")
    assert "Reason is empty" in messages(page)
    assert mode() is None
    assert not Veto.objects.exists()


def test_one_account_is_halted_from_its_list(operator, live_server):
    page = operator
    page.goto(f"{live_server.url}/admin/exchanges/account/")
    assert texts(page, ".field-show_mode") == ["active"]
    page.check("input[name=_selected_action]")
    page.select_option("select[name=action]", "halt")
    page.click("button[name=index]")
    confirm(page, "its key leaked")
    assert "Account paper-1 is halted" in messages(page)
    assert texts(page, ".field-show_mode") == ["halted"]
    assert mode("account", "paper-1") == TradingMode.HALTED
    assert mode() is None


def test_a_scope_that_does_not_exist_is_refused(operator, live_server):
    page = operator
    page.goto(f"{live_server.url}{KILL_SWITCH}halt/?scope=account:nobody")
    confirm(page, "a slip of the finger")
    assert "account is 'nobody'; allowed: paper-1" in messages(page)
    assert not Veto.objects.exists()
    assert page.request.get(f"{live_server.url}{KILL_SWITCH}halt/?scope=nonsense").status == 404
    assert page.request.get(f"{live_server.url}{KILL_SWITCH}explode/?scope=everything:*").status == 404


def test_a_viewer_sees_the_kill_switch_and_cannot_use_it(world, log_in, live_server):
    page = log_in("viewer")
    page.goto(f"{live_server.url}{KILL_SWITCH}")
    assert "Everything is active" in texts(page, ".big-mode")[0]
    assert page.locator(".big-buttons, #scopes .steps").count() == 0
    url = f"{live_server.url}{KILL_SWITCH}halt/?scope=everything:*"
    assert page.request.get(url).status == 403
    assert post(page, url, reason="mischief").status == 403
    assert mode() is None
    # The same request does halt for somebody who may.
    page.context.clear_cookies()
    log_in("operator")
    assert post(page, url, reason="a drill").status == 302
    assert mode() == TradingMode.HALTED


def test_a_reason_with_markup_is_shown_and_never_run(operator, live_server):
    evil = "<img src=x onerror=\"document.title='owned'\">"
    page = operator
    page.goto(f"{live_server.url}{KILL_SWITCH}reduce_only/?scope=account:paper-1")
    confirm(page, evil)
    assert evil in " ".join(texts(page, "#scopes"))
    assert page.title() != "owned"
    assert page.locator("#content img").count() == 0
