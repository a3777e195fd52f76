"""The process that listens to what a venue says about our own accounts.

It is apart from the market stream, so a flood of prices never delays a fill. Events are applied in the
order they came, a few milliseconds' worth in one transaction, by one thread per account. A database
that is away makes them wait, not vanish; what a crash loses is asked for again on the next connection.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from django.db import Error as SqlError
from django.db import InterfaceError, OperationalError, close_old_connections

from apps.exchanges.ports import (
    BalanceBatch,
    Connected,
    FillBatch,
    FundingBatch,
    OrderBatch,
    Stream,
    UserEvent,
    UserHandler,
)
from moondev.domain.clock import monotonic
from moondev.domain.errors import TradingError

logger = logging.getLogger(__name__)

WINDOW_SECONDS = 0.004
BATCH_EVENTS = 400
RETRY_SECONDS = 0.5
STOP_SECONDS = 2.0
GUARD_SECONDS = 1.0
# Events that nobody could apply for so long: whoever applies them hangs, and the process is not well.
JAMMED_SECONDS = 30.0

OpenUserStream = Callable[[int, UserHandler], Stream]
ApplyEvents = Callable[[int, Sequence[UserEvent]], object]
TellFills = Callable[[int, Sequence[UserEvent]], None]
Guard = Callable[[frozenset[int]], None]


def empty_batch(event: UserEvent) -> bool:
    """Return whether an event carries nothing to apply, such as an empty snapshot."""
    match event:
        case OrderBatch(reports=items) | FillBatch(fills=items) | FundingBatch(payments=items):
            return not items
        case BalanceBatch(balances=items):
            return not items
    return False


@dataclass(slots=True)
class _Inbox:
    events: deque[UserEvent] = field(default_factory=deque)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    idle: asyncio.Event = field(default_factory=asyncio.Event)
    waiting_since: float | None = None

    def put(self, event: UserEvent) -> None:
        if empty_batch(event):
            return
        self.events.append(event)
        if self.waiting_since is None:
            self.waiting_since = monotonic()
        self.idle.clear()
        self.news.set()

    def batch(self) -> list[UserEvent]:
        return [self.events[index] for index in range(min(len(self.events), BATCH_EVENTS))]

    def done(self, count: int) -> None:
        for _ in range(count):
            self.events.popleft()
        self.waiting_since = monotonic() if self.events else None
        if not self.events:
            self.news.clear()
            self.idle.set()


class UserStreamProcess:
    """One venue's user streams. `apply` writes a batch, `tell` passes news of fills on, `sweep` runs beside them.

    So does `guard`, which is told the accounts whose streams are up; each has a thread of its own, because either may
    wait for somebody. `turned` is called after each sweep that got through, unless events wait for one who does not.
    `run` ends as well when `still_current` says that the accounts are not these any more.
    """

    def __init__(
        self,
        account_ids: Iterable[int],
        open_stream: OpenUserStream,
        apply: ApplyEvents,
        tell: TellFills,
        sweep: Callable[[], object],
        sweep_seconds: float = 0.5,
        still_current: Callable[[], bool] = lambda: True,
        guard: Guard | None = None,
    ) -> None:
        self._inboxes = {account_id: _Inbox() for account_id in account_ids}
        self._open_stream, self._apply, self._tell = open_stream, apply, tell
        self._sweep, self._sweep_seconds, self._still_current = sweep, sweep_seconds, still_current
        self._guard = guard
        self._streams: dict[int, Stream] = {}
        self._beside: list[tuple[str, Callable[[], object], float]] = []
        self.turned: Callable[[], None] = lambda: None
        self._stopping = asyncio.Event()

    def beside(self, name: str, chore: Callable[[], object], seconds: float) -> None:
        """Have `chore` done every so many seconds while `run` runs, on a thread of its own: it waits for nobody."""
        self._beside.append((name, chore, seconds))

    def stop(self) -> None:
        """Ask `run` to return once what has been heard is applied."""
        self._stopping.set()
        for stream in self._streams.values():
            stream.stop()

    async def run(self) -> None:
        """Stream every account until stopped."""
        self._streams = {
            account_id: self._open_stream(account_id, inbox.put) for account_id, inbox in self._inboxes.items()
        }
        streaming = [asyncio.create_task(stream.run()) for stream in self._streams.values()]
        applying = [asyncio.create_task(self._apply_all(account_id)) for account_id in self._inboxes]
        sweeping = asyncio.create_task(self._repeat("sweeper", self._sweep_once, self._sweep_seconds))
        guarding = asyncio.create_task(self._repeat("guard", self._guard_once, GUARD_SECONDS))
        beside = [asyncio.create_task(self._repeat(n, partial(self._once, n, c), s)) for n, c, s in self._beside]
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            chores = [stopping, sweeping, *beside, *streaming, *applying]
            done, _ = await asyncio.wait([*chores, *([guarding] if self._guard else [])], return_when="FIRST_COMPLETED")
            for task in done:
                task.result()
        finally:
            self.stop()
            await self._wind_up([*streaming, *applying, sweeping, guarding, *beside, stopping])

    async def _wind_up(self, tasks: Sequence[asyncio.Task[object]]) -> None:
        unapplied = [inbox.idle.wait() for inbox in self._inboxes.values() if inbox.events]
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.gather(*unapplied), STOP_SECONDS)
        for task in tasks:
            task.cancel()
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), STOP_SECONDS)

    async def _apply_all(self, account_id: int) -> None:
        """Apply one account's events in order, on a thread of its own, for ever."""
        inbox, loop = self._inboxes[account_id], asyncio.get_running_loop()
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"account-{account_id}") as thread:
            while True:
                await inbox.news.wait()
                await asyncio.sleep(WINDOW_SECONDS)
                batch = inbox.batch()
                if await loop.run_in_executor(thread, self._apply_batch, account_id, batch):
                    inbox.done(len(batch))
                else:
                    await asyncio.sleep(RETRY_SECONDS)

    def _apply_batch(self, account_id: int, batch: Sequence[UserEvent]) -> bool:
        """Return whether the batch is dealt with; False asks for the same batch again."""
        try:
            self._apply(account_id, batch)
        except (OperationalError, InterfaceError) as error:
            logger.warning("account %s: %d events wait for the database: %s", account_id, len(batch), error)
            close_old_connections()
            return False
        except (SqlError, TradingError) as error:
            if len(batch) > 1:
                return all(self._apply_batch(account_id, [event]) for event in batch)
            # An answer the books do not take, or a venue we cannot ask: again would be the same. Reconciliation
            # takes it up, and the stream must go on for everything else it carries.
            logger.exception("account %s: an event is left to reconciliation: %s", account_id, batch[0], exc_info=error)
            return True
        self._tell_fills(account_id, batch)
        return True

    def _tell_fills(self, account_id: int, batch: Sequence[UserEvent]) -> None:
        if any(isinstance(event, FillBatch | Connected) for event in batch):
            self._tell(account_id, batch)

    @staticmethod
    async def _repeat(name: str, chore: Callable[[], bool], seconds: float) -> None:
        """Do a chore again and again on a thread of its own, until it says that there is no more of it."""
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix=name) as thread:
            while True:
                if not await loop.run_in_executor(thread, chore):
                    return
                await asyncio.sleep(seconds)

    def _once(self, name: str, chore: Callable[[], object]) -> bool:
        try:
            chore()
        except (SqlError, TradingError) as error:
            logger.warning("%s: %s; trying again", name, error)
            close_old_connections()
        return True

    def _sweep_once(self) -> bool:
        """Sweep; return whether the accounts listened to are still the right ones."""
        try:
            self._sweep()
            if not self._jammed():
                self.turned()
            if self._still_current():
                return True
            logger.warning("the accounts have changed; ending, to listen to them anew")
            return False
        except (SqlError, TradingError) as error:
            logger.warning("sweep: %s; trying again", error)
            close_old_connections()
            return True

    def _jammed(self) -> bool:
        """Return whether an account's events wait for somebody who does not come back."""
        waiting = [inbox.waiting_since for inbox in self._inboxes.values()]
        return any(since is not None and monotonic() - since > JAMMED_SECONDS for since in waiting)

    def _guard_once(self) -> bool:
        """Mind what must not be left alone; return whether there is anybody who does."""
        if self._guard is None:
            return False
        try:
            self._guard(frozenset(account_id for account_id, stream in self._streams.items() if stream.connected))
        except (SqlError, TradingError) as error:
            logger.warning("guard: %s; trying again", error)
            close_old_connections()
        return True
