"""The second look before a halt: a code that one person can use once, soon, for the scope it was given for."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.crypto import constant_time_compare, salted_hmac

from apps.monitor.models import TelegramCode, TelegramUser
from moondev.domain.errors import InvalidValue

DIGITS, LIFE, TRIES = 6, timedelta(seconds=60), 3


def code_create(person: TelegramUser, *, chat: int, scope: str, flatten: bool, reason: str, now: datetime) -> str:
    """Return a code for halting a scope. One that the same person was given before is worth nothing any more."""
    code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}d}"
    TelegramCode.objects.update_or_create(
        person=person,
        defaults={
            "chat": chat, "digest": _digest(person, scope, code), "scope": scope, "flatten": flatten,
            "reason": reason, "expires_at": now + LIFE, "tries_left": TRIES,
        },
    )  # fmt: skip
    return code


def code_use(person: TelegramUser, code: str, *, chat: int, now: datetime) -> TelegramCode:
    """Return what a code was given for, and use it up.

    Raises InvalidValue: none waits, too late, in another chat, or wrong.
    """
    used, refusal = _use(person, code, chat, now)
    if used is None:
        # Raised outside, so that the try stays counted.
        raise InvalidValue("code", "•" * DIGITS, refusal)
    return used


@transaction.atomic
def _use(person: TelegramUser, code: str, chat: int, now: datetime) -> tuple[TelegramCode | None, str]:
    row = TelegramCode.objects.select_for_update().filter(person=person).first()
    if row is None:
        return None, "one that was asked for with kill, and not used yet"
    if row.expires_at <= now or row.tries_left <= 0:
        row.delete()
        return None, f"one that is younger than {LIFE.seconds} seconds; ask for another with kill"
    if row.chat != chat:
        return None, "one that was asked for in this chat"
    if not constant_time_compare(row.digest, _digest(person, row.scope, code)):
        row.tries_left -= 1
        if row.tries_left:
            row.save(update_fields=["tries_left"])
            return None, f"the one that was sent; {row.tries_left} more {'try' if row.tries_left == 1 else 'tries'}"
        row.delete()
        return None, "the one that was sent; that was the last try, ask for another with kill"
    row.delete()
    return row, ""


def _digest(person: TelegramUser, scope: str, code: str) -> str:
    """Return what is kept of a code: bound to whom and what it is for, and worth nothing without our key."""
    return salted_hmac("telegram code", f"{person.telegram_id}\n{scope}\n{code}", algorithm="sha256").hexdigest()
