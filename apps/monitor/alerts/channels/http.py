"""Post to a server of somebody else's: briefly, without being sent on, and with an exact account of what it said."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

import requests
from django.conf import settings

from apps.monitor.alerts.channels.refusals import NotTaken
from moondev.domain.clock import LiveClock

CONNECT_SECONDS, READ_SECONDS, WHOLE_SECONDS = 4.0, 8.0, 15.0
LARGEST_ANSWER = 64 * 1024
LONGEST_WAIT_SECONDS = 3600.0
USER_AGENT = "MoonDev-AlgoTrade"
# What may be different a moment later; every other refusal stands.
PASSING = frozenset(
    {
        HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def told(self) -> dict[str, Any]:
        """Return its body as an object; an empty one when it is none."""
        try:
            found = json.loads(self.body)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    def asked_to_wait(self) -> float | None:
        """Return the seconds of its Retry-After, which may also be a moment; None without one that makes sense."""
        return _seconds(self.headers.get("Retry-After", ""))


def post(
    url: str,
    *,
    headers: Mapping[str, str],
    data: Any,  # noqa: ANN401  as requests takes it
    files: Any = None,  # noqa: ANN401  as requests takes it
    think_seconds: float = 0.0,
) -> Answer:
    """Post once and return the answer, whatever it is. Raises NotTaken when there is none: it may have arrived.

    `think_seconds` is how long the server was asked to wait before it answers.
    """
    if not url.startswith("https://") and not settings.ALERTS_MAY_BE_PLAIN:
        raise NotTaken("it would be spoken to without TLS; see ALERTS_DISCORD_URL, ALERTS_TELEGRAM_URL", permanent=True)
    try:
        with requests.Session() as session, session.post(
            url, data=data, files=files, headers={"User-Agent": USER_AGENT, **headers},
            timeout=(CONNECT_SECONDS, READ_SECONDS + think_seconds), allow_redirects=False, stream=True,
        ) as answer:  # fmt: skip
            return Answer(answer.status_code, answer.headers, _body(answer))
    except requests.Timeout as error:
        raise NotTaken("no answer in time") from error
    except requests.RequestException as error:
        # Its text holds the whole address, and with it the token of a bot.
        raise NotTaken(f"no connection ({type(error).__name__})") from error


def require_taken(answer: Answer, said: str, wait: float | None = None) -> None:
    """Raise NotTaken unless the answer is a success.

    `said` is why, in the server's words; `wait` the seconds it asked for in its body, None: see its headers.
    """
    if HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
        return
    if answer.status < HTTPStatus.BAD_REQUEST:
        raise NotTaken(f"it sends us elsewhere ({answer.status}), where nobody allowed us to go", permanent=True)
    why = f"it answered {answer.status}" + (f": {said}" if said else "")
    if answer.status not in PASSING:
        raise NotTaken(why, permanent=True)
    asked = answer.asked_to_wait() if wait is None else wait
    raise NotTaken(why, retry_after_seconds=asked)


def sensible_wait(seconds: object) -> float | None:
    """Return a wait that a server asked for, at most an hour; None for what is none."""
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not math.isfinite(seconds) or seconds < 0:
        return None
    return min(float(seconds), LONGEST_WAIT_SECONDS)


def _body(answer: requests.Response) -> bytes:
    """Read what there is of the body: not for ever, and not without end."""
    until = LiveClock().now() + timedelta(seconds=WHOLE_SECONDS)
    body = b""
    for part in answer.iter_content(8192):
        body += part
        if len(body) > LARGEST_ANSWER or LiveClock().now() > until:
            break
    return body[:LARGEST_ANSWER]


def _seconds(header: str) -> float | None:
    try:
        return sensible_wait(float(header))
    except ValueError:
        moment = _moment(header)
    return None if moment is None else sensible_wait(max(0.0, (moment - LiveClock().now()).total_seconds()))


def _moment(header: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(header)
    except ValueError:
        return None
    # A date without a zone is as good as none.
    return moment if moment.tzinfo is not None else None
