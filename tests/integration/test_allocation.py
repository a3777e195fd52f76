"""Capital on a real database: proposed from what the guard keeps, done only when a person says so, all or nothing."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO

import numpy as np
import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from apps.risk.allocation.proposal import Terms
from apps.risk.allocation.weights import AllocationMethod
from apps.risk.models import AllocationProposal
from apps.risk.portfolio.series_keeper import EquityPoint, points_keep
from apps.strategies.admin import allocations as page
from apps.strategies.allocating import GOOD_FOR, STEP, allocation_apply, allocation_drop, allocation_propose
from apps.strategies.management.commands import allocate
from apps.strategies.models import StrategyRow
from moondev.domain.clock import FixedClock
from moondev.domain.errors import InvalidValue
from tests.integration.tick_world import NOW, D, World, own_redis, register

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]
TERMS = Terms(AllocationMethod.INVERSE_VOLATILITY, most_share=1.0, damping=1.0, least_change=0.0, fewest_samples=40)


@pytest.fixture
def world(monkeypatch):
    register(monkeypatch)
    client = own_redis()
    world = World(client, ("BTC", "ETH", "SOL"))
    for slug, symbol in (("calm", "BTC"), ("wild", "ETH"), ("young", "SOL")):
        world.strategy(slug, symbol, capital=D(10_000))
    yield world
    client.close()


def equities(hours: int = 50) -> None:
    rng = np.random.default_rng(4)
    worth = {"calm": 10_000.0, "wild": 10_000.0}
    for number in range(hours, 0, -1):
        worth["calm"] *= 1 + rng.normal(0, 0.01)
        worth["wild"] *= 1 + rng.normal(0, 0.03)
        points = [EquityPoint(("strategy", slug), D(repr(float(one))), {"1": D(10_000)}) for slug, one in worth.items()]
        points_keep(points, NOW - STEP * number)


def capitals() -> dict[str, int]:
    return dict(StrategyRow.objects.values_list("slug", "capital"))


def test_a_proposal_changes_nothing_until_a_person_carries_it_out_once(world):
    equities()
    row = allocation_propose("paper", TERMS, actor="ann", now=NOW)
    lines = {line["strategy"]: line for line in row.lines}
    assert (row.budget, row.equity) == (30_000, 100_000)
    assert lines["young"]["why"].startswith("left as it is: 0 steps are known")
    assert D(lines["calm"]["after"]) > 2 * D(lines["wild"]["after"]) > 0
    assert set(capitals().values()) == {10_000}
    done = allocation_apply(row.pk, actor="bob", now=NOW)
    assert (done.status, done.decided_by) == ("applied", "bob")
    assert capitals() == {slug: D(line["after"]) for slug, line in lines.items()}
    assert sum(capitals().values()) <= 30_000
    for decide in (allocation_apply, allocation_drop):
        with pytest.raises(InvalidValue, match="is applied, by bob"):
            decide(row.pk, actor="eve", now=NOW)


def test_nothing_is_done_on_an_old_proposal_on_changed_capital_and_on_less_equity_than_it_needs(world):
    terms = Terms(AllocationMethod.EQUAL, most_share=1.0, damping=1.0)
    row = allocation_propose("paper", terms, actor="ann", now=NOW, budget=D(90_000))
    with pytest.raises(InvalidValue, match="proposal is 'made 2026-01-05 12:00'"):
        allocation_apply(row.pk, actor="bob", now=NOW + GOOD_FOR + timedelta(seconds=1))
    world.clock.advance(timedelta(seconds=1))
    world.mark_equity(80_000)
    with pytest.raises(InvalidValue, match="at most the portfolio's equity"):
        allocation_apply(row.pk, actor="bob", now=world.clock.now())
    world.clock.advance(timedelta(seconds=1))
    world.mark_equity(100_000)
    StrategyRow.objects.filter(slug="wild").update(capital=9_000)
    with pytest.raises(InvalidValue, match="wild: 9000"):
        allocation_apply(row.pk, actor="bob", now=world.clock.now())
    # All of it or nothing: the first of the three was not changed either.
    assert capitals() == {"calm": 10_000, "wild": 9_000, "young": 10_000}
    assert AllocationProposal.objects.get().status == "proposed"


def test_never_more_than_the_equity_and_nothing_when_that_is_not_known(world):
    row = allocation_propose("paper", TERMS, actor="ann", now=NOW, budget=D(10**9))
    assert row.budget == 100_000
    assert sum(D(line["after"]) for line in row.lines) <= 100_000
    for wrong, words in (({"budget": D(0)}, "budget"), ({"now": NOW + timedelta(hours=1)}, "equity")):
        with pytest.raises(InvalidValue, match=words):
            allocation_propose(**{"portfolio": "paper", "terms": TERMS, "actor": "ann", "now": NOW, **wrong})
    with pytest.raises(InvalidValue, match="portfolio is 'papier'; allowed: paper"):
        allocation_propose("papier", TERMS, actor="ann", now=NOW)
    StrategyRow.objects.update(enabled=False)
    with pytest.raises(InvalidValue, match="enabled strategies"):
        allocation_propose("paper", TERMS, actor="ann", now=NOW)


def test_the_command_and_the_admin_show_it_and_do_it(world, monkeypatch):
    for module in (allocate, page):
        monkeypatch.setattr(module, "process_clock", lambda: FixedClock(NOW))
    out = StringIO()
    call_command("allocate", "paper", "--method", "equal", "--budget", "60000", "--damping", "1", stdout=out)
    assert "proposal 1 for paper, proposed" in out.getvalue().replace(str(AllocationProposal.objects.get().pk), "1")
    assert "nothing was changed" in out.getvalue()
    number = AllocationProposal.objects.get().pk
    call_command("allocate", "--apply", str(number), "--by", "ann", stdout=out)
    assert set(capitals().values()) == {20_000}
    for wrong, words in (
        (["--apply", "99999"], "proposal is 99999"), (["paper", "--damping", "2"], "damping is 2"),
        (["paper", "--budget", "much"], "budget is 'much'"), (["nowhere"], "portfolio is 'nowhere'"),
    ):  # fmt: skip
        with pytest.raises(CommandError, match=words):
            call_command("allocate", *wrong)

    browser = Client()
    browser.force_login(get_user_model().objects.create_superuser("root"))
    form = {"portfolio": "paper", "method": "equal", "budget": "30000", "most_share": "0.5", "damping": "1",
            "least_change": "0", "fewest_samples": "168"}  # fmt: skip
    add = reverse("admin:risk_allocationproposal_add")
    assert b"damping is 7.0; allowed" in browser.post(add, {**form, "damping": "7"}).content
    assert browser.post(add, form).status_code == 302
    row = AllocationProposal.objects.first()
    shown = browser.get(reverse("admin:risk_allocationproposal_change", args=[row.pk])).content.decode()
    assert "10,000.00" in shown
    action = {"action": "carry_out", "_selected_action": str(row.pk)}
    listing = reverse("admin:risk_allocationproposal_changelist")
    assert b"approved again" in browser.post(listing, action).content
    assert set(capitals().values()) == {20_000}
    browser.post(listing, {**action, "confirmed": "yes"})
    assert set(capitals().values()) == {10_000}
