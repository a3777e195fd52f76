"""A stream that asks: up, down, up again, and never wrong about which."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from apps.exchanges.ports import Connected, Disconnected, ParseError, Refused, Unreadable
from apps.exchanges.venues.ccxt_generic.polling import Pace, PollingStream
from moondev.domain.clock import FixedClock
from moondev.domain.errors import Connectivity, InvalidValue, RateLimited, VenueRejected

NOW = datetime(2026, 1, 1, tzinfo=UTC)
QUICK = Pace(every=0.001, first_pause=0.001, longest_pause=0.002)


class Script:
    """Rounds that answer or fail as written; the stream is stopped after the last."""

    def __init__(self, *acts: object) -> None:
        self.acts, self.closed = list(acts), False
        self.stop: Callable[[], None] = lambda: None

    def ask(self) -> list[object]:
        act = self.acts.pop(0)
        if not self.acts:
            self.stop()
        if isinstance(act, Exception):
            raise act
        return list(act)  # type: ignore[call-overload]

    def close(self) -> None:
        self.closed = True


def heard(*acts: object) -> tuple[list[Any], PollingStream, Script]:
    """Run through the script and return the events."""
    events: list[Any] = []
    script = Script(*acts)

    async def scenario() -> PollingStream:
        loop = asyncio.get_running_loop()
        stream = PollingStream("test", script, events.append, FixedClock(NOW), QUICK)
        script.stop = lambda: loop.call_soon_threadsafe(stream.stop)  # type: ignore[assignment, return-value]
        await asyncio.wait_for(stream.run(), 10)
        return stream

    return events, asyncio.run(scenario()), script


def test_it_is_up_after_the_first_whole_round_and_hands_on_what_it_heard() -> None:
    events, stream, script = heard(["a", "b"], ["c"])
    assert events == [Connected(None, NOW), "a", "b", "c"]
    assert stream.age_seconds < 10
    assert not stream.connected
    assert script.closed


def test_a_round_that_fails_takes_it_down_and_the_next_says_since_when_it_was_deaf() -> None:
    events, _, _ = heard(["a"], Connectivity("cut"), Connectivity("cut"), ["b"])
    assert events == [Connected(None, NOW), "a", Disconnected("cut", NOW), Connected(NOW, NOW), "b"]


def test_a_venue_that_never_answers_is_never_up() -> None:
    events, stream, _ = heard(Connectivity("cut"), RateLimited("slow", 0.001), Connectivity("cut"))
    assert events == []
    assert stream.age_seconds == float("inf")


def test_a_refusal_is_told_each_time_and_asked_again() -> None:
    events, _, _ = heard(VenueRejected("key", "no"), VenueRejected("key", "no"), [])
    assert [type(event) for event in events] == [Refused, Refused, Connected]


def test_what_cannot_be_read_is_counted_and_gives_no_event() -> None:
    events, stream, _ = heard(["a"], ParseError("book", "nonsense", "x"), [Unreadable(("row",), NOW)], ["b"])
    assert stream.unreadable == 2
    assert [event for event in events if isinstance(event, str)] == ["a", "b"]


def test_a_question_that_can_never_be_asked_ends_the_stream() -> None:
    with pytest.raises(InvalidValue, match="NOSUCH"):
        heard(InvalidValue("instrument", "NOSUCH", "a listed one"))
