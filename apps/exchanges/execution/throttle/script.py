"""The one script that keeps all budgets, and how it is run: one trip to Redis per decision."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha1
from pathlib import Path
from typing import Any, cast

import redis

_SOURCE = Path(__file__).with_name("budgets.lua").read_text(encoding="utf-8")
# What Redis calls a script by; nothing is protected with it.
_NAME = sha1(_SOURCE.encode(), usedforsecurity=False).hexdigest()

Answer = list[int | bytes]


class BudgetScript:
    """Runs `budgets.lua`. Thread-safe as its client is."""

    def __init__(self, client: redis.Redis) -> None:
        """Take a client that returns bytes and has time-outs."""
        # The library's general call has no types.
        self._redis: Any = client

    def run(self, verb: str, keys: Sequence[str], arguments: Sequence[int | str]) -> Answer:
        """Return what the script says. Raises redis.RedisError when Redis does not answer."""
        call = (len(keys), *keys, verb, *arguments)
        try:
            answer = self._redis.execute_command("EVALSHA", _NAME, *call)
        except redis.exceptions.NoScriptError:
            # Redis has been restarted, or never saw it.
            answer = self._redis.execute_command("EVAL", _SOURCE, *call)
        return cast(Answer, answer)
