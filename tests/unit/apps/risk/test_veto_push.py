"""Vetoes that nobody works on are announced again, and then taken in hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from apps.exchanges.models import Venue, Veto
from apps.risk import veto_push, vetoes
from moondev.domain.clock import FixedClock

pytestmark = pytest.mark.django_db
NOW = datetime(2025, 7, 1, 12, tzinfo=UTC)


class FakeHands:
    def __init__(self) -> None:
        self.taken: list[str] = []

    def take(self, venue: str) -> None:
        self.taken.append(venue)


@pytest.fixture
def hands(monkeypatch) -> FakeHands:
    fake = FakeHands()
    monkeypatch.setattr(veto_push, "DirectHands", lambda: fake)
    return fake


@pytest.fixture
def announced(monkeypatch) -> list[str]:
    venues: list[str] = []
    monkeypatch.setattr(vetoes, "publish_veto", lambda venue: venues.append(venue) or True)
    return venues


@pytest.fixture
def passing(monkeypatch):
    """Return a way to let real seconds pass."""
    seconds = [1_000.0]
    monkeypatch.setattr(veto_push, "monotonic", lambda: seconds[0])

    def let(real_seconds: float) -> None:
        seconds[0] += real_seconds

    return let


@pytest.fixture
def veto() -> Veto:
    venue = Venue.objects.create(
        code="hyperliquid", protocol="hyperliquid", environment="paper", rest_url="http://x", websocket_url="ws://x"
    )
    return Veto.objects.create(
        venue=venue, scope_kind="everything", scope_key="*", epoch=1, reason="test", actor="ann", engaged_at=NOW
    )


@pytest.fixture
def push(veto) -> veto_push.VetoPush:
    return veto_push.VetoPush(FixedClock(NOW + timedelta(seconds=3)))


def test_a_young_veto_is_left_to_its_worker(veto, announced, hands) -> None:
    veto_push.VetoPush(FixedClock(NOW + timedelta(seconds=1))).push()
    assert (announced, hands.taken) == ([], [])


def test_a_veto_somebody_works_on_is_left_alone(veto, push, announced, hands) -> None:
    Veto.objects.update(worker="w", worker_until=NOW + timedelta(seconds=10))
    push.push()
    assert (announced, hands.taken) == ([], [])


def test_a_veto_that_is_done_is_left_alone(veto, push, announced, hands) -> None:
    Veto.objects.update(done_at=NOW)
    push.push()
    assert (announced, hands.taken) == ([], [])


def test_a_lost_message_is_sent_again_and_then_the_work_is_done_here(push, announced, hands, passing) -> None:
    push.push()
    push.push()
    assert (announced, hands.taken) == (["hyperliquid"], [])
    passing(veto_push.AGAIN_SECONDS)
    push.push()
    assert (announced, hands.taken) == (["hyperliquid"], ["hyperliquid"])


def test_without_a_broker_the_work_is_done_here_at_once(push, hands, passing, monkeypatch) -> None:
    monkeypatch.setattr(vetoes, "publish_veto", lambda _venue: False)
    push.push()
    assert hands.taken == ["hyperliquid"]


def test_the_next_veto_at_the_venue_is_announced_first_again(push, announced, hands, passing) -> None:
    push.push()
    Veto.objects.update(done_at=NOW)
    passing(60)
    push.push()
    Veto.objects.update(done_at=None)
    push.push()
    assert (announced, hands.taken) == (["hyperliquid", "hyperliquid"], [])
