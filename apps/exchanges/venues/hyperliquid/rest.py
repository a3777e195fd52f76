"""Hyperliquid over HTTP: the venue's own SDK carries the bytes, its traps are closed here.

A call costs about 1.8 ms of CPU, nearly all of it `requests`; orders therefore travel in bulk.
"""

from __future__ import annotations

from typing import Any, cast

import requests
from hyperliquid.api import API
from urllib3.exceptions import NameResolutionError, NewConnectionError

from apps.exchanges.ports import ParseError
from apps.exchanges.throttling import Lane, Throttle, Unlimited
from apps.exchanges.venues.hyperliquid.config import (
    CONNECT_TIMEOUT_SECONDS,
    READ_TIMEOUT_SECONDS,
    RETRY_AFTER_SECONDS,
)
from apps.exchanges.venues.hyperliquid.limits import action_cost, question_cost, rows_cost
from apps.exchanges.venues.hyperliquid.signing import Action, Signature
from moondev.domain.errors import Connectivity, NotSent, RateLimited, VenueRejected

_UNPARSABLE = "error"
# The venue (or a proxy before it) gave up waiting: the request may have been processed.
_UNKNOWN_OUTCOMES = frozenset({408, 425, 499})


class Rest:
    """One long-lived session to one address. Never sends anything twice, never waits for ever."""

    def __init__(
        self,
        rest_url: str,
        throttle: Throttle | None = None,
        *,
        connect_timeout_seconds: float = CONNECT_TIMEOUT_SECONDS,
        read_timeout_seconds: float = READ_TIMEOUT_SECONDS,
    ) -> None:
        """Prepare a session; the network is first touched by a call. `throttle` None lets everything pass."""
        self._throttle = throttle or Unlimited()
        # Without a timeout the SDK waits for ever.
        self._api = API(rest_url, timeout=(connect_timeout_seconds, read_timeout_seconds))
        session: requests.Session = self._api.session
        # A proxy or .netrc found in the environment must not stand between us and the venue (and
        # looking for them costs a tenth of a call).
        session.trust_env = False
        # The SDK dies with KeyError 'code' or AttributeError on a 4xx body it does not expect, losing
        # the status; this hook runs before it and raises errors of ours.
        session.hooks["response"].append(_require_success)

    def info(self, request: Action, lane: Lane = Lane.ORDINARY) -> Any:  # noqa: ANN401 - any JSON
        """Return the answer to a read; its rows are paid for afterwards, when they are counted."""
        kind = str(request["type"])
        self._throttle.spend(question_cost(kind), lane)
        answer = self._post("/info", request)
        extra = rows_cost(kind, answer)
        if extra:
            self._throttle.charge(extra)
        return answer

    def exchange(
        self,
        action: Action,
        nonce: int,
        signature: Signature,
        expires_after_ms: int | None,
        *,
        items: int = 1,
        lane: Lane = Lane.ORDINARY,
    ) -> Any:  # noqa: ANN401 - any JSON
        """Return the answer to a signed action about `items` orders, which is sent exactly once."""
        self._throttle.spend(action_cost(items), lane)
        payload = {
            "action": action,
            "nonce": nonce,
            "signature": signature.wire(),
            "vaultAddress": None,
            "expiresAfter": expires_after_ms,
        }
        return self._post("/exchange", payload)

    def close(self) -> None:
        """Close the connections."""
        self._api.session.close()

    def _post(self, path: str, payload: Action) -> Any:  # noqa: ANN401 - any JSON
        try:
            answer = self._api.post(path, payload)
        except RateLimited as error:
            self._throttle.rest(error.retry_after_seconds or RETRY_AFTER_SECONDS, str(error))
            raise
        except requests.exceptions.ConnectTimeout as error:
            raise NotSent(f"no connection to {self._api.base_url} in time") from error
        except requests.exceptions.ConnectionError as error:
            if _never_connected(error):
                raise NotSent(f"no connection to {self._api.base_url}: {error}") from error
            raise Connectivity(f"{path}: the connection broke: {error}") from error
        except requests.exceptions.RequestException as error:
            raise Connectivity(f"{path}: {error}") from error
        # The SDK returns text that is not JSON as {"error": ...} instead of raising.
        if isinstance(answer, dict) and list(answer) == [_UNPARSABLE]:
            raise ParseError("answer", "not JSON", answer[_UNPARSABLE])
        return answer


def _never_connected(error: requests.exceptions.ConnectionError) -> bool:
    cause = error.args[0] if error.args else None
    reason = getattr(cause, "reason", cause)
    return isinstance(reason, NewConnectionError | NameResolutionError)


def _require_success(response: requests.Response, *_: object, **__: object) -> None:
    status = response.status_code
    if status < 300:
        return
    body = response.text
    if status == requests.codes.too_many_requests:
        raise RateLimited(f"HTTP 429: {body}", _retry_after(response))
    if status < 400:
        # Following it would send the request twice, perhaps to somebody else.
        raise Connectivity(f"HTTP {status}: redirected to {response.headers.get('Location')}")
    if status >= 500 or status in _UNKNOWN_OUTCOMES:
        raise Connectivity(f"HTTP {status}: {body}")
    raise VenueRejected(f"http_{status}", body, status)


def _retry_after(response: requests.Response) -> float:
    try:
        return max(0.0, float(cast(str, response.headers.get("Retry-After", RETRY_AFTER_SECONDS))))
    except ValueError:  # the header may be a date
        return RETRY_AFTER_SECONDS
