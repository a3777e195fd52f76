"""Whole days, played through the real guard, breakers, review, halts and flattening."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from django.db import connection

from apps.exchanges.execution.nudges import redis_nudges
from apps.exchanges.models import Account, Order, Position, TradingState, Veto
from apps.risk.scenario import play as playing
from apps.risk.scenario.day import CRASH, seconds
from apps.risk.scenario.holdings import usual
from apps.risk.scenario.outcome import Growth, Outcome
from apps.risk.scenario.play import play
from apps.risk.scenario.tell import as_json, told
from moondev.domain.errors import Configuration
from tests.conftest import _emptying
from tests.support.order_world import make_world

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]
VENUES = ("hyperliquid", "binance")


@pytest.fixture(autouse=True)
def _apart(settings) -> Iterator[None]:
    """No venue has a queue, and Redis is away, as where the command plays: what it says would outlive a day."""
    settings.MOONDEV_VENUES, settings.REDIS_URL = (), "redis://127.0.0.1:1/0"
    redis_nudges.cache_clear()
    yield
    redis_nudges.cache_clear()


def require_safe(outcome: Outcome) -> None:
    """What must hold on any day."""
    assert outcome.growths == ()
    assert outcome.blind == ()
    assert all(left.why and left.why != "nobody has stopped it" for left in outcome.left)


def test_a_cascade_is_survived_nothing_grows_after_a_veto_and_the_end_is_flat_or_explained() -> None:
    outcome = play(VENUES, 7, usual(VENUES))
    require_safe(outcome)
    kinds = {event.kind for event in outcome.happened}
    assert {"breach", "veto", "breaker"} <= kinds
    # Something was opened while it was allowed, and refused once it was not.
    assert outcome.openings
    assert outcome.refused["TRADING_REDUCING"] + outcome.refused.get("TRADING_HALTED", 0) > 0
    last_opening, first_veto = outcome.openings[-1].at, Veto.objects.order_by("engaged_at")[0].engaged_at
    assert last_opening < first_veto
    # It lost less at the worst than who did nothing.
    assert outcome.lowest.ours > outcome.idle_lowest.idle
    # The ledger and the venues agree on what is left, to the last lot.
    ledger = {
        (position.account.venue_id, position.instrument.symbol): position.quantity
        for position in Position.objects.exclude(quantity=0).select_related("account", "instrument")
    }
    assert ledger == {(left.venue, left.coin): left.size for left in outcome.left}
    assert not Order.objects.filter(status__in=["approved", "sending", "open", "partially_filled", "unknown"]).exists()
    words = "\n".join(told(outcome))
    assert "FAULT" not in words
    assert ("everything is flat" in words) is not bool(outcome.left)
    assert "being stopped saved" in words
    assert json.loads(json.dumps(as_json(outcome), default=str))["seed"] == 7


def test_a_seed_gives_the_same_day_twice(monkeypatch) -> None:
    monkeypatch.setattr(playing, "seconds", lambda: [second for second in seconds() if second <= CRASH + 90])
    outcomes = []
    for _ in range(2):
        with connection.cursor() as cursor:
            cursor.execute(_emptying())
        outcomes.append(play(VENUES[:1], 3, usual(VENUES[:1])))
    assert outcomes[0] == outcomes[1]
    assert TradingState.objects.exists()


def test_a_position_that_grew_is_told_as_a_fault() -> None:
    growth = Growth(65, "binance", "BTC", *map(playing.ZERO.__class__, ("1", "2")))
    outcome = Outcome(
        7, VENUES, "binance", (playing.Worth(0, playing.ZERO, playing.ZERO),), (), (), {}, (), (growth,), ()
    )
    assert "FAULT 01:05: BTC at binance grew from 1 to 2 although it was stopped" in "\n".join(told(outcome))


def test_refuses_a_database_that_has_accounts() -> None:
    make_world()
    with pytest.raises(Configuration, match="a database of its own"):
        play(VENUES, 7, usual(VENUES))
    assert Account.objects.count() == 1
    assert not Veto.objects.exists()
