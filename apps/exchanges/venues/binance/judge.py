"""What an answer of Binance means: to be read, refused, slow down, or nobody knows.

https://developers.binance.com/docs/derivatives/usds-margined-futures/general-info and .../error-code
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from apps.exchanges.throttling import Throttle
from apps.exchanges.venues.binance.config import ORDERS_1M, ORDERS_10S, WEIGHT
from apps.exchanges.venues.binance.messages import ErrorBody
from moondev.domain.errors import Connectivity, RateLimited, TradingError, VenueRejected

_USED = {
    "X-MBX-USED-WEIGHT-1M": WEIGHT,
    "X-MBX-ORDER-COUNT-10S": ORDERS_10S,
    "X-MBX-ORDER-COUNT-1M": ORDERS_1M,
}
_LIMITED = frozenset({418, 429})
# 408 is the venue's own time-out, the others are those of a proxy before it: the request may have been carried out.
_UNKNOWN_STATUSES = frozenset({408, 425, 499})
# "Execution status unknown" in the venue's words, and its internal errors, of which it says no more.
UNKNOWN_CODES = frozenset({-1000, -1001, -1006, -1007, -1016})
_TOO_MANY_ORDERS = -1015
_TOO_MANY_REQUESTS = -1003
# The venue sheds load; what it sheds it has not done.
_OVERLOADED = -1008
# Stamped too long ago, or more than a second ahead.
OUT_OF_TIME = -1021
OVERLOADED_SECONDS = 1.0
# The firewall before the venue says nothing of how long; its own pages speak of minutes.
FIREWALL_SECONDS = 60.0
RETRY_AFTER_SECONDS = 10.0


class Judge:
    """Judges every answer of one session, and passes on what the venue says of its limits."""

    def __init__(self, throttle: Throttle) -> None:
        """Tell `throttle` what is heard."""
        self._throttle = throttle

    def __call__(self, status: int, headers: Mapping[str, str], body: str) -> None:
        """Return when the answer is to be read. Raises what it means otherwise."""
        self._hear(headers)
        if status < 300:
            return
        raise self._meaning(status, headers, body)

    def _hear(self, headers: Mapping[str, str]) -> None:
        told = {name: headers.get(header, "") for header, name in _USED.items()}
        used = {name: int(text) for name, text in told.items() if text.isdecimal()}
        if used:
            self._throttle.heard(used)

    def _meaning(self, status: int, headers: Mapping[str, str], body: str) -> TradingError:
        said = _said(body)
        code = None if said is None else said.code
        if code == _TOO_MANY_ORDERS:
            # The account's orders are counted out, not the address's requests: cancels go on.
            return RateLimited(f"HTTP {status}: {body}", _retry_after(headers))
        if status in _LIMITED or code == _TOO_MANY_REQUESTS:
            return self._rest(_retry_after(headers), f"HTTP {status}: {body}")
        if status == 403 and said is None:
            return self._rest(FIREWALL_SECONDS, "HTTP 403: refused by the venue's firewall")
        if code == _OVERLOADED:
            return RateLimited(f"HTTP {status}: {body}", OVERLOADED_SECONDS)
        if status >= 500 or status in _UNKNOWN_STATUSES or code in UNKNOWN_CODES:
            return Connectivity(f"HTTP {status}: {body[:500]}")
        return VenueRejected(f"http_{status}" if said is None else str(said.code), body, status)

    def _rest(self, seconds: float, reason: str) -> RateLimited:
        self._throttle.rest(seconds, reason)
        return RateLimited(reason, seconds)


def refusal_code(error: VenueRejected) -> int | None:
    """Return the venue's number for a refusal; None when it gave none."""
    return int(error.code) if error.code.lstrip("-").isdecimal() else None


def _said(body: str) -> ErrorBody | None:
    try:
        return msgspec.json.decode(body, type=ErrorBody)
    except msgspec.MsgspecError:
        return None


def _retry_after(headers: Mapping[str, str]) -> float:
    text = headers.get("Retry-After", "")
    return max(1.0, float(text)) if text.isdecimal() else RETRY_AFTER_SECONDS
