"""Two people let a strategy into paper, and one of them may not let his own through."""

from __future__ import annotations

import os

import pytest

from apps.risk.breakers.keeper import breakers_look
from apps.risk.breakers.seeds import seed as seed_breakers
from apps.strategies.models import Gate, Stage, StageApproval, StageChange, StrategyRow
from apps.strategies.promotion.seeds import seed
from tests.browser.conftest import PHONE
from tests.browser.scenery import NOW, messages, texts

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.timeout(120)]


@pytest.fixture
def gates(world):
    seed()
    seed_breakers()


def look(page, name):
    """Keep a picture for people, when they ask for one."""
    if "MOONDEV_PICTURES" in os.environ:
        page.screenshot(path=f"{os.environ['MOONDEV_PICTURES']}/{name}.png", full_page=True)


def test_gates_stand_on_the_page_of_the_stage_and_open_when_they_pass(operator, live_server, strategy, gates):
    page = operator
    page.goto(f"{live_server.url}/admin/strategies/strategyrow/")
    page.click(".field-show_stage a")
    assert any("no honesty check has been run" in row for row in texts(page, "tbody tr"))
    assert page.locator("button:has-text('Promote')").is_disabled()
    look(page, "stage-closed")
    Gate.objects.update(enabled=False)
    page.reload()
    page.fill("#id_promote", "a first look")
    page.click("button:has-text('Promote')")
    assert "is in paper" in messages(page)
    Gate.objects.update(enabled=True)
    page.reload()
    page.fill("#id_approve", "read it and ran it")
    page.click("button:has-text('Approve')")
    assert "Approved turtle-btc" in messages(page)
    assert StageApproval.objects.get().stage == Stage.LIMITED_LIVE
    look(page, "stage-paper")
    page.set_viewport_size(PHONE)
    look(page, "stage-phone")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.fill("#id_demote", "not yet")
    page.click("button:has-text('Take down')")
    assert "research" in messages(page)
    assert StrategyRow.objects.get().stage == Stage.RESEARCH
    assert StageChange.objects.count() == 2


def test_breakers_are_seen_and_edited_in_the_admin(operator, live_server, gates):
    page = operator
    breakers_look(lambda _: {("portfolio", "paper"): None}, "guard", NOW)
    page.goto(f"{live_server.url}/admin/risk/breaker/")
    assert len(texts(page, "#result_list tbody tr")) == 12
    look(page, "breakers")
    page.click("text=day-loss")
    page.fill("#id_threshold", "1.5")
    page.click("input[name=_save]")
    assert "a share above 0 and up to 1" in " ".join(texts(page, ".errorlist"))
    page.goto(f"{live_server.url}/admin/risk/breakerstate/")
    assert "closed" in " ".join(texts(page, "#result_list tbody tr"))
    look(page, "breaker-states")
