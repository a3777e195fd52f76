"""The guard dies in the pass that stops somebody: the next one stops him, once."""

from __future__ import annotations

from decimal import Decimal

import pytest

from apps.exchanges.models import EquityMark, TradingState, Veto
from apps.risk.models import Breaker, HighWaterMark, Limit, LimitKind
from tests.support.deaths import Life, living
from tests.unit.apps.risk.guard_scene import CALM, Scene, scene_maker

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(180)]
D = Decimal


@pytest.fixture
def scene(settings, tmp_path, monkeypatch):
    settings.MOONDEV_HALT_FILE = tmp_path / "halt"
    with scene_maker(monkeypatch) as make:
        Breaker.objects.update(enabled=False)
        made = make()
        Limit.objects.filter(kind=LimitKind.PORTFOLIO_DRAWDOWN).update(value=D("0.01"))
        yield made


def begin_anew(scene: Scene) -> None:
    """Forget what was stopped and what was seen."""
    for rows in (Veto, EquityMark, HighWaterMark):
        rows.objects.all().delete()
    TradingState.objects.update(mode="active")
    scene.feed.mark = CALM
    scene.next_guard()
    scene.watch()


def test_killed_at_any_write_of_the_pass_that_stops_a_portfolio_the_next_guard_stops_it(scene, monkeypatch) -> None:
    at, died = 1, True
    while died:
        begin_anew(scene)
        scene.feed.mark = CALM * D("0.85")
        scene.watch()
        life = Life(at)
        with living(life, monkeypatch):
            scene.watch()
        died = life.dead
        scene.next_guard()
        scene.watch(4)
        (veto,) = Veto.objects.all()
        assert (veto.scope_kind, veto.flatten, veto.keep_share) == ("portfolio", True, 0), at
        assert TradingState.objects.get(scope_kind="portfolio").mode == "halted"
        at += 2
    assert at > 5
