"""A topic's rows as everybody last read them, and what has changed in them since any moment a client remembers.

A client needs no buffer: what it misses while it is slow is what has changed since the number it has seen, however
often it changed. That is what keeps ten thousand slow clients as cheap as ten thousand quick ones.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from datetime import datetime

import orjson

Row = Mapping[str, object]
Rows = Mapping[str, Row]

# Of so many rows that are gone it is remembered when they went. Who missed more than that is sent everything.
GONE_KEPT = 1_000
# Clients are at few places at once: the quick ones all at the newest, the slow ones somewhere behind.
MESSAGES_KEPT = 32


class Table:
    """The rows of one topic. `seq` rises by one with every change; not for use by several threads."""

    def __init__(self, topic: str) -> None:
        """Start empty, at number 0: a table that was never read."""
        self.topic = topic
        self.seq = 0
        self._rows: dict[str, Row] = {}
        self._changed: dict[str, int] = {}
        self._gone: OrderedDict[str, int] = OrderedDict()
        self._forgotten = 0
        self._at = ""
        self._messages: OrderedDict[int | None, bytes] = OrderedDict()
        self._trouble = ""

    @property
    def read(self) -> bool:
        """Return whether the rows have been read at least once."""
        return self.seq > 0

    def update(self, rows: Rows, at: datetime) -> bool:
        """Take `rows` in the place of those before; return whether anybody has to be told."""
        changed = [key for key, row in rows.items() if self._rows.get(key) != row]
        gone = self._rows.keys() - rows.keys()
        if self.read and not changed and not gone and not self._trouble:
            return False
        self._step(at)
        self._trouble = ""
        for key in changed:
            self._rows[key] = rows[key]
            self._changed[key] = self.seq
            self._gone.pop(key, None)
        for key in gone:
            del self._rows[key], self._changed[key]
            self._gone[key] = self.seq
        while len(self._gone) > GONE_KEPT:
            self._forgotten = self._gone.popitem(last=False)[1]
        return True

    def fail(self, why: str, at: datetime) -> bool:
        """Keep the rows and say from now on that they are old, and why; return whether anybody has to be told."""
        if self.read and why == self._trouble:
            return False
        self._step(at)
        self._trouble = why
        return True

    def message(self, seen: int | None) -> bytes:
        """Return what a client at number `seen` lacks: a delta, or (None, or too long ago) everything."""
        since = None if seen is None or seen < self._forgotten or seen > self.seq else seen
        message = self._messages.get(since)
        if message is None:
            message = self._messages[since] = orjson.dumps(self._told(since))
            if len(self._messages) > MESSAGES_KEPT:
                self._messages.popitem(last=False)
        return message

    def _step(self, at: datetime) -> None:
        self.seq += 1
        self._at = at.isoformat()
        self._messages.clear()

    def _told(self, since: int | None) -> dict[str, object]:
        head = {"topic": self.topic, "seq": self.seq, "at": self._at, "trouble": self._trouble}
        if since is None:
            return {"kind": "snapshot", **head, "rows": self._rows}
        rows = {key: self._rows[key] for key, seq in self._changed.items() if seq > since}
        gone = [key for key, seq in self._gone.items() if seq > since]
        return {"kind": "delta", "since": since, **head, "rows": rows, "gone": gone}
