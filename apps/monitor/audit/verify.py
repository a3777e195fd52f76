"""Read the whole trail and find what was done to it: entries altered, removed, moved or put in between."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from django.db import connection, transaction

from apps.exchanges.bulk import fetch
from apps.monitor.audit.triggers import triggers_off
from moondev.domain.errors import InvalidValue

START = "0" * 64
BATCH = 2_000
# As monitor_audit_hash in chain.sql writes them down.
_FIELDS = (
    "e.seq::text, to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US'), e.actor, e.address, e.action,"
    " e.subject, e.reason, e.before::text, e.after::text"
)


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong, and with which entry."""

    seq: int
    words: str


@dataclass(frozen=True, slots=True)
class Anchor:
    """An entry as it was noted somewhere else, when it was the last: `seq:hash`."""

    seq: int
    hash: str

    @classmethod
    def parsed(cls, text: str) -> Anchor:
        """Return the anchor in `text`. Raises InvalidValue when it is none."""
        number, _, digest = text.partition(":")
        if not number.isdecimal() or len(digest) != len(START):
            raise InvalidValue("anchor", text, "seq:hash, as an earlier verify has printed it")
        return cls(int(number), digest)


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found: how many entries there are, where the chain ends now, and what is wrong."""

    entries: int
    head: Anchor
    flaws: list[Flaw] = field(default_factory=list)


def hash_of(previous: str, fields: Sequence[str]) -> str:
    """Return the hash of an entry from the one before it and its fields as text."""
    written = "".join(f"{len(one)}:{one}" for one in (previous, *fields))
    return hashlib.sha256(written.encode()).hexdigest()


def verify(anchors: Sequence[Anchor] = ()) -> Checked:
    """Check the chain from its first entry to its head, as it is at one moment.

    Whoever may write to the database can compute a whole chain anew; `anchors` that were noted elsewhere find that.
    """
    with transaction.atomic():
        # One moment for all queries: entries that are added meanwhile must not look like a broken end.
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        flaws: list[Flaw] = []
        end, count = Anchor(0, START), 0
        missing = {anchor.seq: anchor.hash for anchor in anchors}
        for seq, fields, previous, stored in _entries():
            flaws.extend(_flaws(end, seq, fields, previous, stored))
            if missing.pop(seq, stored) != stored:
                flaws.append(Flaw(seq, "is another than the one noted elsewhere"))
            end, count = Anchor(seq, stored), count + 1
        flaws.extend(Flaw(seq, "was noted elsewhere and is not there") for seq in sorted(missing))
        flaws.extend(_end_flaws(end))
        return Checked(count, end, flaws)


def recent_flaws(count: int) -> list[Flaw]:
    """Return what is wrong with the newest `count` entries and with the end of the chain: for those who look often."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        [(newest,)] = fetch("SELECT coalesce(max(seq), 0) FROM monitor_auditentry")
        found: list[Flaw] = []
        end: Anchor | None = None
        for seq, fields, previous, stored in _entries(newest - count):
            found.extend(_flaws(end or Anchor(seq - 1, previous), seq, fields, previous, stored))
            end = Anchor(seq, stored)
        found.extend(_end_flaws(end or Anchor(0, START)))
        return found


def _flaws(end: Anchor, seq: int, fields: Sequence[str], previous: str, stored: str) -> Iterator[Flaw]:
    if seq != end.seq + 1:
        yield Flaw(end.seq + 1, f"is missing, up to {seq - 1}")
    elif previous != end.hash:
        yield Flaw(seq, "does not follow the entry before it: that one was changed, moved or put in between")
    if hash_of(previous, fields) != stored:
        yield Flaw(seq, "was altered: it does not have its own hash any more")


def _end_flaws(end: Anchor) -> Iterator[Flaw]:
    """Compare the end with the head that the database keeps beside: entries may have been cut off, or be kept off."""
    head = fetch("SELECT seq, hash FROM monitor_audithead WHERE id = 1")
    if not head and end.seq:
        yield Flaw(end.seq, "is the last entry and there is no head to say so")
    elif head and head[0] != (end.seq, end.hash):
        yield Flaw(end.seq, f"is the last entry, but the chain had come to {head[0][0]}")
    for table in triggers_off():
        yield Flaw(
            end.seq, f"is the last entry, and what is done to {table} is written down no more: its trigger is off"
        )


def _entries(after: int = -(2**62)) -> Iterator[tuple[int, list[str], str, str]]:
    last = after
    while True:
        rows = fetch(
            f"SELECT e.seq, e.previous_hash, e.hash, {_FIELDS} FROM monitor_auditentry e"  # noqa: S608  columns of ours
            " WHERE e.seq > %s ORDER BY e.seq LIMIT %s",
            (last, BATCH),
        )
        for seq, previous, stored, *fields in rows:
            yield seq, fields, previous, stored
        if len(rows) < BATCH:
            return
        last = rows[-1][0]
