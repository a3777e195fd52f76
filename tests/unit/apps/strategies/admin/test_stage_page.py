"""The page of a strategy's stage shows what the gates say, and acts in the name of who is logged in."""

from __future__ import annotations

from html import unescape

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.urls import reverse

from apps.strategies.models import Gate, Stage, StageApproval, StageChange, StrategyRow
from apps.strategies.promotion.seeds import seed
from apps.strategies.promotion.services import stage_skip
from moondev.domain.clock import LiveClock


@pytest.fixture
def page(strategy):
    seed()
    return reverse("admin:strategies_strategyrow_stage", args=[strategy.pk])


def text(answer):
    return unescape(answer.content.decode())


def put_on_paper(strategy):
    stage_skip(strategy.pk, to=Stage.PAPER, actor="test", reason="to begin with", now=LiveClock().now())


def test_the_page_names_each_gate_and_offers_no_promotion_while_one_is_closed(operator, strategy, page):
    shown = text(operator.get(page))
    assert "Gates to paper" in shown
    assert "no honesty check has been run" in shown
    assert 'disabled title="A gate has not passed"' in shown


def test_a_promotion_that_is_forced_is_refused_with_the_reason_and_nothing_changes(operator, strategy, page):
    answer = operator.post(page, {"deed": "promote", "to": "paper", "reason": "go"}, follow=True)
    assert "Not done: gates is 'checks: no honesty check has been run" in text(answer)
    assert StrategyRow.objects.get().stage == Stage.RESEARCH


def test_gates_that_pass_let_the_operator_promote_in_his_own_name(operator, strategy, page):
    Gate.objects.update(enabled=False)
    answer = operator.post(page, {"deed": "promote", "to": "paper", "reason": "go"}, follow=True)
    assert "is in paper" in text(answer)
    assert StageChange.objects.get().actor == "operator"


def test_who_may_approve_but_not_edit_can_approve_and_nothing_else(client, strategy, page):
    put_on_paper(strategy)
    user = get_user_model().objects.create_user("bea", is_staff=True)
    for codename in ("approve_stage", "view_strategyrow"):
        user.user_permissions.add(Permission.objects.get(codename=codename))
    client.force_login(user)
    assert "Take it down" not in text(client.get(page))
    client.post(page, {"deed": "approve", "to": "limited_live", "reason": "read it"})
    assert StageApproval.objects.get().approver == "bea"
    assert client.post(page, {"deed": "demote", "to": "research", "reason": "no"}).status_code == 403
    assert StrategyRow.objects.get().stage == Stage.PAPER


def test_an_author_is_not_offered_to_approve(operator, strategy, page):
    put_on_paper(strategy)
    StrategyRow.objects.update(edited_by="operator")
    assert "Approve this version" not in text(operator.get(page))
    answer = operator.post(page, {"deed": "approve", "to": "limited_live", "reason": "mine"}, follow=True)
    assert "somebody other than its authors" in text(answer)


def test_taking_down_wants_a_reason(operator, strategy, page):
    put_on_paper(strategy)
    assert "Not done: reason" in text(
        operator.post(page, {"deed": "demote", "to": "research", "reason": ""}, follow=True)
    )
    operator.post(page, {"deed": "demote", "to": "research", "reason": "enough"})
    assert StrategyRow.objects.get().stage == Stage.RESEARCH


def test_who_is_not_logged_in_sees_nothing(client, strategy, page):
    assert client.get(page).status_code == 302


def test_a_strategy_whose_code_is_gone_still_has_a_page(operator, strategy, page):
    StrategyRow.objects.update(kind="gone")
    assert "strategy is 'gone'" in text(operator.get(page))
