"""Phemex over HTTP: ccxt signs and carries, every answer is judged here before anybody believes it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from threading import Lock

import msgspec

from apps.exchanges.ports import ParseError
from apps.exchanges.throttling import Lane, Throttle
from apps.exchanges.venues.ccxt_generic.credentials import ApiKey
from apps.exchanges.venues.ccxt_generic.session import CcxtSession
from apps.exchanges.venues.phemex.config import (
    BUDGETS,
    CONTRACT,
    IP,
    OTHERS,
    PROTOCOL,
    RETRY_AFTER_SECONDS,
    Endpoints,
)
from apps.exchanges.venues.phemex.messages import Verdict
from moondev.domain.clock import Clock, milliseconds
from moondev.domain.errors import Connectivity, NotSent, RateLimited, TradingError, VenueRejected

# How long a request without an expiry of its own may be under way.
EXPIRY_SECONDS = 30
TOO_MANY_REQUESTS = "39995"
_EXPIRY_OPTION = "x-phemex-request-expiry"
# The venue (or a proxy before it) gave up waiting: the request may have been processed.
_UNKNOWN_OUTCOMES = frozenset({408, 425, 499})
# Not the venue's words but those of the firewall before it, which lets nothing of this address through for a while.
_SHUT_OUT = frozenset({403, 418})
# The ending that the venue gives a group's headers; the group called "others" has none.
_GROUPS: Mapping[str, str] = {CONTRACT: "-contract", OTHERS: ""}
_CAPACITY = {budget.name: budget.capacity for budget in BUDGETS}
_VERDICTS = msgspec.json.Decoder(Verdict)


class Judge:
    """Looks into every answer: the venue refuses with HTTP 200 as a rule. https://phemex-docs.github.io/#error-codes"""

    def __init__(self, throttle: Throttle) -> None:
        """Pass on to `throttle` what the venue says about its patience."""
        self._throttle = throttle

    def __call__(self, status: int, headers: Mapping[str, str], body: str) -> None:
        """Raise RateLimited, VenueRejected, Connectivity or ParseError when the answer is not one to be read."""
        told = {name.lower(): value for name, value in headers.items() if name.lower().startswith("x-ratelimit-")}
        self._note(told)
        if status == 429:
            raise self._hasty(told, body)
        if status >= 500 or status in _UNKNOWN_OUTCOMES:
            # The venue says so itself: after a 5xx the request may have been carried out.
            raise Connectivity(f"HTTP {status}")
        self._weigh(status, told, body)

    def _weigh(self, status: int, told: Mapping[str, str], body: str) -> None:
        try:
            verdict = _VERDICTS.decode(body)
        except (msgspec.MsgspecError, UnicodeError) as error:
            if status in _SHUT_OUT:
                raise self._hasty(told, body) from None
            if status >= 400:
                raise VenueRejected(f"HTTP {status}", body, status) from None
            raise ParseError("answer", str(error), body) from error
        code, words = str(verdict.code), verdict.msg or ""
        if verdict.error is not None:
            code, words = str(verdict.error.code), verdict.error.message or ""
        if code == TOO_MANY_REQUESTS:
            raise self._hasty(told, body)
        if code != "0" or status >= 400:
            raise VenueRejected(code, words or body, status)

    def _note(self, told: Mapping[str, str]) -> None:
        used = {}
        for name, ending in _GROUPS.items():
            left = told.get(f"x-ratelimit-remaining{ending}", "")
            if left.isdecimal():
                # Accounts with a larger allowance are told of more than we count with.
                used[name] = max(0, _CAPACITY[name] - int(left))
        if used:
            self._throttle.heard(used)

    def _hasty(self, told: Mapping[str, str], body: str) -> TradingError:
        waits = [value for name, value in told.items() if name.startswith("x-ratelimit-retry-after")]
        seconds = float(waits[0]) if waits and waits[0].isdecimal() else RETRY_AFTER_SECONDS
        # Who keeps asking is blocked for longer, so everybody rests.
        self._throttle.rest(seconds, "Phemex: too many requests")
        return RateLimited(f"too many requests: {body[:200]}", seconds)


class PhemexRest:
    """Sends requests of one account (or of nobody), each once."""

    def __init__(self, where: Endpoints, clock: Clock, throttle: Throttle, key: ApiKey | None = None) -> None:
        """Prepare without touching the network."""
        self._clock, self._throttle, self._lock = clock, throttle, Lock()
        self._session = CcxtSession(PROTOCOL, addresses=where.of_ccxt(), judge=Judge(throttle), clock=clock, key=key)

    def public(self, method: str, fields: Mapping[str, object] | None = None, lane: Lane = Lane.ORDINARY) -> str:
        """Return the answer to a question that anybody may ask: it costs the address alone."""
        self._throttle.spend({IP: 1}, lane)
        return self._session.ask(method, dict(fields or {}))

    def signed(
        self,
        method: str,
        fields: Mapping[str, object],
        budget: str,
        lane: Lane = Lane.ORDINARY,
        expires_at: datetime | None = None,
    ) -> str:
        """Return the answer to a signed request, which costs one of `budget`.

        The signature lapses with the last full second of `expires_at`: the venue's gate turns it away afterwards. What
        passed the gate in time may still be on its way to the engine. Raises NotSent when that second is over already.
        """
        with self._lock:
            now = milliseconds(self._clock.now()) // 1000
            lapses = now + EXPIRY_SECONDS if expires_at is None else milliseconds(expires_at) // 1000
            if lapses < now:
                raise NotSent(f"{method}: expired {now - lapses} s ago")
            self._throttle.spend({IP: 1, budget: 1}, lane)
            # ccxt adds seconds of its own clock; both are fixed here, so that the sum is the second we mean.
            exchange = self._session.exchange
            exchange.seconds = lambda: now
            exchange.options[_EXPIRY_OPTION] = lapses - now
            return self._session.ask(method, dict(fields))

    def close(self) -> None:
        """Close the connections."""
        self._session.close()
