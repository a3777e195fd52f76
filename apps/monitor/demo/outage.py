"""An outage on demand: one venue stops answering in the middle of a run, and comes back."""

from __future__ import annotations

import re
from dataclasses import dataclass

import requests

from moondev.domain.errors import Configuration, InvalidValue

_TIMEOUT_S = 5.0
_FORM = re.compile(r"([a-z_]+)(?::([0-9]+(?:\.[0-9]+)?):([0-9]+(?:\.[0-9]+)?))?")


@dataclass(frozen=True, slots=True)
class Outage:
    """`venue` answers nobody from `after` seconds of trading on, for `seconds`."""

    venue: str
    after: float
    seconds: float


def read_outage(text: str, run_seconds: float | None) -> Outage:
    """Return the outage that ``venue:after:seconds`` names; ``venue`` alone is the middle third of a timed run.

    Raises InvalidValue for anything else.
    """
    allowed = "venue:after:seconds, or a venue alone in a run with --for"
    match = _FORM.fullmatch(text)
    if match is None or (match[2] is None and run_seconds is None):
        raise InvalidValue("outage", text, allowed)
    if match[2] is not None:
        return Outage(match[1], float(match[2]), float(match[3]))
    third = (run_seconds or 0.0) / 3
    return Outage(match[1], third, third)


class Breaker:
    """Starts and ends one outage at the mock exchange, as time passes."""

    def __init__(self, mock_url: str, outage: Outage) -> None:
        """Break nothing yet."""
        self._url, self._outage = mock_url, outage
        self._down = self._over = False

    def look(self, elapsed: float) -> str | None:
        """Do what is due after `elapsed` seconds of trading; return a sentence when something was done."""
        if not self._down and elapsed >= self._outage.after:
            self._down = True
            self._begin()
            return f"{self._outage.venue} stops answering for {self._outage.seconds:g} s"
        if self._down and not self._over and elapsed >= self._outage.after + self._outage.seconds:
            return self.end()
        return None

    def end(self) -> str | None:
        """Let the venue answer again, if it does not; return a sentence when it was silent."""
        if not self._down or self._over:
            return None
        self._over = True
        reply = requests.delete(f"{self._url}/admin/faults", json={"venue": self._outage.venue}, timeout=_TIMEOUT_S)
        _require_ok(reply)
        return f"{self._outage.venue} answers again"

    def _begin(self) -> None:
        # In this order: nobody who is cut off can come back.
        for fault in (
            {"kind": "ws_refuse", "value": self._outage.seconds},
            {"kind": "drop_before"},
            {"kind": "ws_disconnect"},
        ):
            body = {"venue": self._outage.venue, **fault}
            _require_ok(requests.post(f"{self._url}/admin/faults", json=body, timeout=_TIMEOUT_S))


def _require_ok(reply: requests.Response) -> None:
    if not reply.ok:
        raise Configuration(f"the mock exchange refused the outage: {reply.text[:300]}")
