"""Kept answers: claimed before a write is worked on, kept with it, forgotten after a day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from apps.exchanges.bulk import run
from apps.monitor.models import KeptAnswer

KEPT_FOR = timedelta(hours=24)
# A process that died leaves its claim; nothing here takes as long.
CLAIM_HOLDS = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class UnderWay:
    """Somebody is working on it."""


@dataclass(frozen=True, slots=True)
class Another:
    """The key belongs to another request."""


def answer_claim(owner: str, key: str, digest: str, now: datetime) -> Answer | UnderWay | Another | None:
    """Take a write in hand; return None when it is ours to do now, else what is known of it."""
    _forget_old(now)
    row, ours = KeptAnswer.objects.get_or_create(owner=owner, key=key, defaults={"digest": digest, "started_at": now})
    if ours:
        return None
    if row.digest != digest:
        return Another()
    if row.status is not None:
        return Answer(row.status, row.headers, bytes(row.body))
    lapsed = KeptAnswer.objects.filter(pk=row.pk, status=None, started_at__lte=now - CLAIM_HOLDS)
    return None if lapsed.update(started_at=now) else UnderWay()


def answer_keep(owner: str, key: str, answer: Answer) -> None:
    """Keep what was answered."""
    KeptAnswer.objects.filter(owner=owner, key=key).update(
        status=answer.status, headers=answer.headers, body=answer.body
    )


def answer_forget(owner: str, key: str) -> None:
    """Let go of a write that came to nothing."""
    KeptAnswer.objects.filter(owner=owner, key=key, status=None).delete()


def _forget_old(now: datetime) -> None:
    """Remove a few that nobody will ask for again; each write does, so they never pile up."""
    run(
        "DELETE FROM monitor_keptanswer WHERE id IN (SELECT id FROM monitor_keptanswer WHERE started_at < %s"
        " ORDER BY started_at LIMIT 20 FOR UPDATE SKIP LOCKED)",
        (now - KEPT_FOR,),
    )
