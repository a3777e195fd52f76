"""Kill a worker between two of its steps, inside the test: what it wrote stays, nothing of it runs any more.

A step is a statement that writes, or a request that changes something at a venue: before it leaves, and again before
its answer is heard. (Dying at a question is dying at the next step after it.) A process that is killed runs no
`finally` that matters, so once dead every further step dies as well; the only thing the database still does for it is
to roll back what it had not committed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connection

from apps.exchanges import bulk
from apps.exchanges.execution.sessions import Session, Sessions

WRITES = ("INSERT", "UPDATE", "DELETE", "WITH")
# Taking and prolonging a lease is no step: whoever dies there has done nothing since the step before.
LEASES = 'UPDATE "exchanges_veto" SET "worker"'
REQUESTS = frozenset({"place", "amend", "cancel", "cancel_resting"})


class Killed(BaseException):
    """The process is gone. No `except Exception` of the product may take it for an error of its own."""


class Life:
    """Counts the steps of one worker; at step number `at` something happens: it dies, unless `event` says otherwise.

    An event is somebody else's doing, so it waits until the worker has committed what it is at.
    """

    def __init__(self, at: int | None = None, event: Callable[[], None] | None = None) -> None:
        self._at, self._event = at, event
        self._within, self._depth = False, len(connection.savepoint_ids)
        self.steps, self.dead, self.happened = 0, False, False

    def step(self) -> None:
        """Take one step, or die. What happens at a step takes none of its own."""
        if self.dead:
            raise Killed
        if self._within:
            return
        self.steps += 1
        if self._at is None or self.steps < self._at or self.happened:
            return
        if self._event is None:
            self.dead = True
            raise Killed
        if len(connection.savepoint_ids) > self._depth:
            return
        self._within = self.happened = True
        try:
            self._event()
        finally:
            self._within = False


@dataclass(frozen=True, slots=True)
class MortalSessions:
    """The sessions of a worker that may die around every request."""

    sessions: Sessions
    life: Life

    def session(self, account_id: int, purpose: str) -> Session:
        found = self.sessions.session(account_id, purpose)
        return Session(found.account, mortal(found.client, self.life), found.signer_id, found.capabilities)


def mortal(client: object, life: Life) -> Any:
    """Return `client` as a worker has it that may die around every request."""
    return _MortalClient(client, life)


class _MortalClient:
    def __init__(self, client: object, life: Life) -> None:
        self._client, self._life = client, life

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        return self._mortal(found) if name in REQUESTS else found

    def _mortal(self, request: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            self._life.step()
            answer = request(*arguments, **named)
            self._life.step()
            return answer

        return call


@contextmanager
def living(life: Life, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Count every writing statement of the block as a step of `life`; a death ends the block, and no more."""
    real = bulk.execute_values

    def values(cursor: Any, sql: str, rows: Sequence[Any], *more: Any, **named: Any) -> Any:
        _taken(life, sql)
        return real(cursor, sql, rows, *more, **named)

    def statement(execute: Callable[..., Any], sql: str, parameters: Any, many: bool, context: Any) -> Any:
        _taken(life, sql)
        return execute(sql, parameters, many, context)

    with monkeypatch.context() as patched, connection.execute_wrapper(statement):
        patched.setattr(bulk, "execute_values", values)
        try:
            yield
        except Killed:
            assert life.dead, "somebody else died"


def _taken(life: Life, sql: str) -> None:
    if sql.lstrip().upper().startswith(WRITES) and not sql.startswith(LEASES):
        life.step()
