"""Who brings snapshots asks until they are had, waits when told to, and lets no symbol keep the others."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, cast

import pytest

from apps.exchanges.venues.binance import snapshots
from apps.exchanges.venues.binance.messages import DepthAnswer
from apps.exchanges.venues.binance.rest import Rest
from apps.exchanges.venues.binance.snapshots import FundingHours, Snapshots
from moondev.domain.clock import LiveClock
from moondev.domain.errors import Connectivity, RateLimited

BOOK = '{"lastUpdateId":1,"T":1,"bids":[["1","1"]],"asks":[["2","1"]]}'


class Answers:
    """Answers by symbol, each from its list; the last one again and again."""

    def __init__(self, **by_symbol: list[str | Exception]) -> None:
        self._by_symbol = by_symbol
        self.asked: list[str] = []

    def ask(self, _: object, parameters: dict[str, Any] | None = None) -> str:
        symbol = str((parameters or {}).get("symbol", "all"))
        self.asked.append(symbol)
        queue = self._by_symbol[symbol]
        answer = queue.pop(0) if len(queue) > 1 else queue[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let pauses be short: how long they are is not the matter here."""
    monkeypatch.setattr(snapshots, "PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(snapshots, "LONGEST_PAUSE_SECONDS", 0.002)


def brought(answers: Answers, wanted: list[str], count: int) -> list[str]:
    """Return the first `count` symbols that are brought."""
    had: list[str] = []

    async def run() -> None:
        bringer, enough = Snapshots(cast(Rest, answers), LiveClock()), asyncio.Event()

        def take(symbol: str, answer: DepthAnswer, _: object) -> None:
            assert answer.lastUpdateId == 1
            had.append(symbol)
            if len(had) >= count:
                enough.set()

        for symbol in wanted:
            bringer.want(symbol)
        await _beside(lambda: bringer.run(take), enough.wait)

    asyncio.run(run())
    return had


async def _beside(work: Callable[[], Awaitable[None]], until: Callable[[], Awaitable[object]]) -> None:
    task = asyncio.ensure_future(work())
    try:
        await asyncio.wait_for(until(), 10)
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def test_each_is_asked_for_once_however_often_it_is_wanted() -> None:
    answers = Answers(A=[BOOK], B=[BOOK])
    assert brought(answers, ["A", "B", "A", "A"], 2) == ["A", "B"]
    assert answers.asked == ["A", "B"]


def test_trouble_with_one_keeps_the_others_not_waiting() -> None:
    trouble: list[str | Exception] = [Connectivity("x"), RateLimited("x", 0.001), "nonsense", BOOK]
    answers = Answers(A=trouble, B=[BOOK], C=[BOOK])
    assert brought(answers, ["A", "B", "C"], 3) == ["B", "C", "A"]


def test_intervals_of_funding_are_asked_for_until_they_are_known() -> None:
    row = '[{"symbol":"A","fundingIntervalHours":4}]'
    answers = Answers(all=[Connectivity("x"), "[{}]", row])

    async def run() -> FundingHours:
        hours, asked = FundingHours(cast(Rest, answers)), len(answers.asked)
        assert (asked, hours.of("A")) == (0, None)

        async def known() -> None:
            while hours.of("A") is None:  # noqa: ASYNC110 - there is no event for it
                await asyncio.sleep(0)

        await _beside(hours.run, known)
        return hours

    hours = asyncio.run(run())
    assert (hours.of("A"), hours.of("B")) == (4, 8)
    assert len(answers.asked) == 3
