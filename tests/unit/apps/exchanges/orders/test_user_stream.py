import asyncio
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial

import pytest
from django.db import IntegrityError, OperationalError

from apps.exchanges.orders import user_stream
from apps.exchanges.orders.user_stream import UserStreamProcess, empty_batch
from apps.exchanges.ports import Connected, FillBatch, OrderBatch, UserEvent, UserHandler
from moondev.domain.errors import Connectivity

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class ScriptedStream:
    """Hands out what the test gives it, then waits to be stopped."""

    def __init__(self, events: Sequence[UserEvent], handler: UserHandler) -> None:
        self._events, self._handler = events, handler
        self._stopped = asyncio.Event()
        self.connected, self.age_seconds, self.unreadable = True, 0.0, 0

    async def run(self) -> None:
        for event in self._events:
            self._handler(event)
            await asyncio.sleep(0)
        await self._stopped.wait()

    def stop(self) -> None:
        self._stopped.set()


def events(count: int) -> list[UserEvent]:
    return [Connected(None, NOW.replace(microsecond=number)) for number in range(count)]


def run(
    script: Sequence[UserEvent],
    apply: Callable[[int, Sequence[UserEvent]], None],
    told: list[int] | None = None,
    sweep: Callable[[], None] = lambda: None,
    seconds: float = 0.15,
    guard: Callable[[frozenset[int]], None] | None = None,
) -> None:
    async def session() -> None:
        process = UserStreamProcess(
            [7],
            lambda _, handler: ScriptedStream(script, handler),
            apply,
            lambda account, batch: None if told is None else told.append(account),
            sweep,
            sweep_seconds=0.01,
            guard=guard,
        )
        asyncio.get_running_loop().call_later(seconds, process.stop)
        await process.run()

    asyncio.run(session())


def test_applies_every_event_once_and_in_order() -> None:
    applied: list[UserEvent] = []
    run(events(1_000), lambda account, batch: applied.extend(batch))
    assert applied == events(1_000)


def test_a_database_that_is_away_makes_events_wait_not_vanish() -> None:
    tries: list[int] = []
    applied: list[UserEvent] = []

    def apply(account: int, batch: Sequence[UserEvent]) -> None:
        tries.append(len(batch))
        if len(tries) == 1:
            raise OperationalError("away")
        applied.extend(batch)

    run(events(3), apply, seconds=1.0)
    assert applied == events(3)


def test_what_cannot_be_booked_is_left_to_reconciliation_and_the_stream_goes_on() -> None:
    tries: list[int] = []

    def apply(account: int, batch: Sequence[UserEvent]) -> None:
        tries.append(len(batch))
        raise Connectivity("the venue does not answer")

    told: list[int] = []
    run(events(3), apply, told)
    assert tries.count(1) == 3
    assert told == []


def test_one_event_that_the_books_refuse_keeps_no_other_from_being_applied() -> None:
    poison = events(3)[1]
    applied: list[UserEvent] = []

    def apply(account: int, batch: Sequence[UserEvent]) -> None:
        if poison in batch:
            raise IntegrityError("check constraint")
        applied.extend(batch)

    run(events(3), apply)
    assert applied == [events(3)[0], events(3)[2]]


def test_tells_of_fills_after_they_are_applied() -> None:
    order: list[str] = []
    told: list[int] = []
    run([FillBatch((), snapshot=False), *events(1)], lambda *_: order.append("applied"), told)
    assert (order, told) == (["applied"], [7])


def test_the_sweeper_runs_beside_the_streams_and_survives_a_fault() -> None:
    sweeps: list[int] = []

    def sweep() -> None:
        sweeps.append(1)
        raise OperationalError("away")

    run([], lambda *_: None, sweep=sweep)
    assert len(sweeps) > 2


def test_an_error_that_means_we_are_wrong_ends_the_process() -> None:
    def apply(account: int, batch: Sequence[UserEvent]) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(events(1), apply)


def test_knows_an_empty_batch() -> None:
    assert empty_batch(OrderBatch(()))
    assert not empty_batch(Connected(None, NOW))


def test_ends_when_the_accounts_are_not_these_any_more() -> None:
    async def session() -> None:
        process = UserStreamProcess(
            [7],
            lambda _, handler: ScriptedStream([], handler),
            lambda *_: None,
            lambda *_: None,
            lambda: None,
            sweep_seconds=0.01,
            still_current=lambda: False,
        )
        await asyncio.wait_for(process.run(), 10)

    asyncio.run(session())


def test_who_guards_is_told_whose_streams_are_up_and_a_mishap_does_not_end_it(monkeypatch) -> None:
    monkeypatch.setattr("apps.exchanges.orders.user_stream.GUARD_SECONDS", 0.01)
    told: list[frozenset[int]] = []

    def guard(connected: frozenset[int]) -> None:
        told.append(connected)
        if len(told) == 1:
            raise Connectivity("the venue does not answer")

    run([], lambda account, batch: None, guard=guard)
    assert len(told) > 1
    assert set(told) == {frozenset({7})}


def test_a_process_whose_events_are_applied_by_nobody_does_not_say_that_it_works(monkeypatch) -> None:
    monkeypatch.setattr(user_stream, "JAMMED_SECONDS", 0.02)
    release, turns, seen = threading.Event(), [], []

    async def session() -> None:
        loop, jammed, well = asyncio.get_running_loop(), asyncio.Event(), asyncio.Event()

        def sweep() -> None:
            seen.append(len(turns))
            if len(seen) > 20 and seen[-3] == seen[-1]:
                loop.call_soon_threadsafe(jammed.set)

        def turned() -> None:
            turns.append(1)
            if release.is_set():
                loop.call_soon_threadsafe(well.set)

        def apply(account: int, batch: Sequence[UserEvent]) -> None:
            release.wait(10)

        streams = partial(ScriptedStream, events(1))
        process = UserStreamProcess(
            [7], lambda _, handler: streams(handler), apply, lambda *_: None, sweep, sweep_seconds=0.01
        )
        process.turned = turned
        running = asyncio.create_task(process.run())
        # Sweeps go on and say nothing; once the event is applied they say that all is well.
        await asyncio.wait_for(jammed.wait(), 20)
        release.set()
        await asyncio.wait_for(well.wait(), 20)
        process.stop()
        await running

    asyncio.run(session())
