"""ccxt's errors as the four outcomes of a request.

By what an error *says happened*, not by its place in ccxt's tree: there a refusal for asking too often and one for a
wrong clock are network errors, and an answer nobody understands is an exchange's error like any refusal.
https://docs.ccxt.com/#/README?id=error-handling
"""

from __future__ import annotations

from collections.abc import Mapping

import ccxt
import msgspec

from apps.exchanges.ports import ParseError
from moondev.domain.errors import Connectivity, NotSent, RateLimited, TradingError, VenueRejected

RETRY_AFTER_SECONDS = 10.0
_WORDS = 300

_TOO_OFTEN = (ccxt.RateLimitExceeded, ccxt.DDoSProtection)
# The clock was wrong or the number used: the exchange looked at it and would have none of it.
_REFUSED_THOUGH_NETWORK = (ccxt.InvalidNonce,)
_NEVER_LEFT = (ccxt.ArgumentsRequired, ccxt.NotSupported)
# A plain ExchangeError is whatever ccxt has no class for, "internal error, try again" among it: nobody knows.
_REFUSED = (
    ccxt.AuthenticationError, ccxt.BadRequest, ccxt.OperationRejected, ccxt.InsufficientFunds, ccxt.InvalidOrder,
    ccxt.AccountSuspended,
)  # fmt: skip


def sorted_error(what: str, error: Exception) -> TradingError:
    """Return what `error`, raised by ccxt's method `what`, means."""
    kind, text = type(error).__name__, str(error)[:_WORDS]
    if isinstance(error, _TOO_OFTEN):
        return RateLimited(f"{kind}: {text}", RETRY_AFTER_SECONDS)
    if isinstance(error, _REFUSED_THOUGH_NETWORK):
        return VenueRejected(kind, text)
    if isinstance(error, _NEVER_LEFT):
        return NotSent(f"{what}: {kind}: {text}")
    if isinstance(error, _REFUSED):
        return VenueRejected(kind, text)
    # The text may hold a signed address.
    return Connectivity(f"{what}: {kind}")


def judge(status: int, headers: Mapping[str, str], body: str) -> None:
    """Raise what an HTTP answer means whose status says so whatever the exchange; ccxt reads the others.

    403 as well: behind the large networks it means "not from this address, for now".
    """
    if status in {418, 429, 403}:
        raise RateLimited(f"HTTP {status}: {body[:_WORDS]}", _retry_after(headers))
    if status >= 500 or status in {408, 425, 499}:
        raise Connectivity(f"HTTP {status}: {body[:_WORDS]}")
    if status < 300:
        _require_json(body)


def _require_json(body: str) -> None:
    """Raise ParseError for text that is no JSON object or list: ccxt reads it as an empty one, and empty means flat."""
    try:
        said = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise ParseError("answer", str(error), body) from error
    if not isinstance(said, dict | list):
        raise ParseError("answer", "neither an object nor a list", body)


def _retry_after(headers: Mapping[str, str]) -> float:
    try:
        return max(0.0, float(headers.get("Retry-After", RETRY_AFTER_SECONDS)))
    except ValueError:
        return RETRY_AFTER_SECONDS
