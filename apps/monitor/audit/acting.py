"""Tell the database who acts, so that whatever changes meanwhile carries a name in the audit trail."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DatabaseError, InterfaceError, connection

logger = logging.getLogger(__name__)


@contextmanager
def acting(actor: str, address: str = "", reason: str = "") -> Iterator[None]:
    """Give everything that changes in this block, over this thread's connection, to `actor`.

    It must be the outermost: entries are written at the commit. A database that does not answer, or goes away within
    the block, hinders nothing: a halt has other voices.
    """
    _say(actor, address, reason)
    try:
        yield
    finally:
        _say("", "", "")


@contextmanager
def because(reason: str) -> Iterator[None]:
    """Give a reason to everything that changes in this block, which must enclose the transaction."""
    _set("moondev.reason", reason)
    try:
        yield
    finally:
        _set("moondev.reason", "")


def _set(name: str, value: str) -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config(%s, %s, false)", (name, value))
    except (DatabaseError, InterfaceError) as error:
        logger.warning("the database was not told %s: %s", name, error)


def _say(actor: str, address: str, reason: str) -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT set_config('moondev.actor', %s, false), set_config('moondev.address', %s, false),"
                " set_config('moondev.reason', %s, false)",
                (actor, address, reason),
            )
    except (DatabaseError, InterfaceError) as error:
        logger.warning("the database was not told that %s acts: %s", actor or "nobody", error)
