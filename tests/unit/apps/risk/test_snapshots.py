"""Who asks venues what accounts are worth asks often, but leaves room for trading."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from apps.risk.snapshots import LATELY_SECONDS, Snapshots
from moondev.domain.errors import Connectivity, RateLimited


class FakeVenue:
    """Its own sessions and client: every answer is another one."""

    def __init__(self) -> None:
        self.asked = 0
        self.fails: Exception | None = None

    def session(self, account_id: int, purpose: str) -> SimpleNamespace:
        return SimpleNamespace(client=self)

    def account_snapshot(self) -> str:
        self.asked += 1
        if self.fails is not None:
            raise self.fails
        return f"answer {self.asked}"


class Scene:
    """Snapshots whose time the test moves."""

    def __init__(self, count: int) -> None:
        self.venue, self.time = FakeVenue(), 0.0
        self.snapshots = Snapshots(self.venue, timer=lambda: self.time)
        self.accounts = [SimpleNamespace(pk=pk, venue_id="binance", code=f"a{pk}") for pk in range(count)]

    def take(self, after: float = 1.0) -> dict[int, str]:
        self.time += after
        return dict(self.snapshots.take(self.accounts))


@pytest.fixture
def scene(request) -> Iterator[Scene]:
    found = Scene(request.param)
    yield found
    found.snapshots.close()


@pytest.mark.parametrize("scene", [2], indirect=True)
def test_a_few_accounts_are_asked_every_second(scene: Scene) -> None:
    assert len({tuple(scene.take().values()) for _ in range(5)}) == 5
    assert scene.venue.asked == 10


@pytest.mark.parametrize("scene", [12], indirect=True)
def test_many_accounts_of_one_venue_take_turns_and_are_what_they_were_meanwhile(scene: Scene) -> None:
    first = scene.take()
    assert len(first) == 12
    assert [scene.take() for _ in range(5)] == [first] * 5
    assert scene.venue.asked == 12
    assert set(scene.take()) == set(first)
    assert scene.venue.asked == 24


@pytest.mark.parametrize("scene", [1], indirect=True)
def test_an_account_that_there_was_no_room_to_ask_about_is_not_out_of_sight_at_once(scene: Scene) -> None:
    first = scene.take()
    scene.venue.fails = RateLimited("weight", 3.0)
    assert [scene.take(), scene.take(), scene.take()] == [first] * 3
    assert scene.venue.asked == 2
    # For long nobody may live on an old answer.
    assert scene.take(after=LATELY_SECONDS) == {}
    scene.venue.fails = None
    assert scene.take(after=3.0) != {}


@pytest.mark.parametrize("scene", [1], indirect=True)
def test_a_venue_that_does_not_answer_is_unknown_at_once(scene: Scene) -> None:
    assert scene.take() != {}
    scene.venue.fails = Connectivity("reset")
    assert scene.take() == {}
    assert scene.take(after=0.1) == {}


@pytest.mark.parametrize("scene", [3], indirect=True)
def test_a_glance_asks_those_it_names_and_no_others(scene: Scene) -> None:
    first = scene.take()
    scene.time += 2.0
    glance = scene.snapshots.take(scene.accounts, {1})
    assert scene.venue.asked == 4
    assert {pk for pk in first if glance[pk] != first[pk]} == {1}
