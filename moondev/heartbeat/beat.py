"""One process's word on itself, as it is kept."""

from __future__ import annotations

from datetime import datetime

import msgspec


class Beat(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a process said last. Times are real ones, whatever clock the run has.

    `beaten` is when it said this, `turned` when its loop last got through a turn of its work (None: not yet), `ended`
    when it ended of its own accord. `code` tells which code it runs. A worker adds how many tasks it takes at once
    (`slots`) and for how many seconds each that it has taken is under way, longest first (`busy`).
    """

    name: str
    host: str
    pid: int
    started: datetime
    beaten: datetime
    turned: datetime | None = None
    ended: datetime | None = None
    code: str = ""
    slots: int = 0
    busy: tuple[float, ...] = ()

    @property
    def instance(self) -> str:
        """Return what tells this process from every other."""
        return f"{self.name}@{self.host}:{self.pid}"


beat_encode = msgspec.json.Encoder().encode
beat_decode = msgspec.json.Decoder(Beat).decode
