"""What the work in hand is about: bound where it begins, written into every line until it ends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any, TypedDict, Unpack, cast


class About(TypedDict, total=False):
    """Everything a line may be about. One name means the same in every process: search for it, and a life shows.

    tick: what an order was born of: a tick's row id, or `hand:…`, `veto:…`. strategy: its slug. account: its row id.
    venue: its code. order: our row id. client_order: the id we gave it. venue_order: the venue's. veto: its row id.
    request: the id of a request to the API or the admin. task, task_id: Celery's. command: of manage.py.
    """

    tick: str
    strategy: str
    account: str
    venue: str
    order: str
    client_order: str
    venue_order: str
    veto: str
    request: str
    task: str
    task_id: str
    command: str


KEYS: tuple[str, ...] = tuple(About.__annotations__)
# What goes on with a message to whoever takes it up; all else is in rows, or is the taker's own.
TRAVELS = ("request", "command")
EMPTY: Mapping[str, str] = MappingProxyType({})
_ABOUT: ContextVar[Mapping[str, str]] = ContextVar("log_context", default=EMPTY)


@contextmanager
def log_context(**about: Unpack[About]) -> Iterator[None]:
    """Write `about` into every line logged inside the block. What is empty is left out."""
    token = _ABOUT.set({**_ABOUT.get(), **_told(about)})
    try:
        yield
    finally:
        _ABOUT.reset(token)


def said(**about: Unpack[About]) -> dict[str, Any]:
    """Return what one line is about, for the `extra` of a logging call."""
    return {"about": _told(about)}


def current() -> Mapping[str, str]:
    """Return what the work in hand is about."""
    return _ABOUT.get()


def travelling() -> dict[str, str]:
    """Return what a message to another process takes along."""
    about = _ABOUT.get()
    return {key: about[key] for key in TRAVELS if key in about}


def arrived(headers: Mapping[str, Any] | None) -> About:
    """Return what a message has brought along; anything else in its headers is not ours."""
    brought = (headers or {}).get("about")
    if not isinstance(brought, dict):
        return {}
    return cast("About", {key: str(brought[key])[:64] for key in TRAVELS if key in brought})


def _told(about: Mapping[str, object]) -> dict[str, str]:
    return {key: str(value) for key, value in about.items() if value not in {"", None}}
