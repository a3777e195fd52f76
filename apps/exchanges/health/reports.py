"""The report on each venue, as its market stream process writes it every second and everybody else reads it.

A report that is missing is a bad one: nobody listens to that venue.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import cast

import msgspec
import redis

from apps.exchanges.health.requests import Requests, recent_requests
from apps.exchanges.health.states import Signs, VenueState, Verdict, Watch
from moondev.domain.clock import monotonic
from moondev.domain.errors import Connectivity

SILENT = "its market stream process says nothing"


class VenueReport(msgspec.Struct, frozen=True, kw_only=True):
    """How a venue does. Ages and delays are real seconds; counts are since the process started.

    `looks` are reports, `fresh_looks` those with data younger than a second; `state_seconds` how long it has been so.
    """

    state: VenueState = VenueState.DOWN
    reasons: tuple[str, ...] = (SILENT,)
    state_seconds: float = 0.0
    connected: int = 0
    age_seconds: float = 1e9
    data_age_seconds: float = 1e9
    ages: dict[str, float] = {}
    book_ages: dict[str, float] = {}
    visible_seconds: float = 0.0
    looks: int = 0
    fresh_looks: int = 0
    messages: int = 0
    unreadable: int = 0
    refused: int = 0
    trades_lost: int = 0
    requests: int = 0
    errors: int = 0
    slow_seconds: float = 0.0
    at: str = ""


UNHEARD = VenueReport()
_decode = msgspec.json.Decoder(VenueReport).decode


class VenueWatch:
    """Judges one venue from its stream process's point of view, with how all processes' requests fare."""

    def __init__(self, venue: str, client: redis.Redis) -> None:
        self._venue, self._redis, self._watch = venue, client, Watch()

    def report(self, stream: Mapping[str, object]) -> VenueReport:
        """Return the whole report for what the stream process says of itself."""
        requests = self._requests()
        partial = msgspec.convert({**stream}, VenueReport)
        signs = Signs(bool(partial.connected), partial.data_age_seconds, partial.ages, requests)
        verdict = self._watch.look(signs, monotonic())
        return msgspec.structs.replace(partial, **_judged(verdict), **_fared(requests))

    def _requests(self) -> Requests:
        try:
            return recent_requests(self._redis, self._venue)
        except redis.RedisError:
            # Nobody could read a report now either; the stream's own signs are enough until then.
            return Requests()


def venue_reports(client: redis.Redis, venues: Collection[str]) -> dict[str, VenueReport]:
    """Return the newest report on each venue. Raises Connectivity when the cache does not answer."""
    names = sorted(venues)
    if not names:
        return {}
    try:
        raw = cast(list[bytes | None], client.mget([f"md:health:{name}" for name in names]))
    except redis.RedisError as error:
        raise Connectivity(f"market data cache: {error}") from error
    return {name: _read(report) for name, report in zip(names, raw, strict=True)}


def _read(raw: bytes | None) -> VenueReport:
    if raw is None:
        return UNHEARD
    try:
        return _decode(raw)
    except msgspec.DecodeError as error:
        return VenueReport(reasons=(f"its report cannot be read: {error}",))


def _judged(verdict: Verdict) -> dict[str, object]:
    return {"state": verdict.state, "reasons": verdict.reasons, "state_seconds": monotonic() - verdict.since}


def _fared(requests: Requests) -> dict[str, object]:
    slow = min(requests.slower_than(0.95), 1e9)
    return {"requests": requests.count, "errors": requests.errors, "slow_seconds": slow}
