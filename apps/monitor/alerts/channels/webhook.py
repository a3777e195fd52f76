"""Webhooks: signed JSON, as https://www.standardwebhooks.com describes it, so that libraries can check it."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from datetime import datetime
from typing import Any

from apprise import NotifyType
from apprise.plugins.base import NotifyBase

from apps.monitor.alerts.channels.http import post, require_taken
from apps.monitor.alerts.channels.letter import Letter, asset
from apps.monitor.alerts.channels.options import WebhookOptions
from apps.monitor.alerts.channels.refusals import NotTaken
from moondev.domain.clock import LiveClock

PREFIX = "whsec_"
# Bytes, as the standard asks.
SHORTEST_KEY = 24


class Webhook(NotifyBase):
    """Apprise's JSON service has no signature, and follows redirects."""

    service_name = "Webhook"  # type: ignore[assignment]  # Apprise says None, and means "to be named"
    title_maxlen = 1_000
    body_maxlen = 100_000

    def __init__(self, address: str, key: bytes, letter: Letter) -> None:
        super().__init__(asset=asset())  # type: ignore[no-untyped-call]  # Apprise has no types there
        self._address, self._key, self._letter = address, key, letter

    def throttle(self, *_: Any, **__: Any) -> None:  # noqa: ANN401  Apprise's signature
        """Wait for nothing: how long to wait is for the outbox to decide."""

    def send(self, body: str, title: str = "", notify_type: NotifyType = NotifyType.INFO, **_: Any) -> bool:  # noqa: ANN401, ARG002  Apprise's signature
        """Post the letter, signed. Raises NotTaken."""
        content = json.dumps(payload(self._letter), ensure_ascii=False, separators=(",", ":")).encode()
        signed = signature_headers(self._key, self._letter.key, LiveClock().now(), content)
        answer = post(self._address, headers={"Content-Type": "application/json", **signed}, data=content)
        require_taken(answer, "")
        return True


def tell(options: WebhookOptions, secret: str, letter: Letter) -> str:
    """Post a letter, signed with the secret. Raises NotTaken."""
    Webhook(options.url, _key(secret), letter).notify(
        title=letter.notice.title, body=letter.notice.body or letter.notice.title
    )
    return ""


def payload(letter: Letter) -> dict[str, Any]:
    """Return what is posted: the notice as it is, when it was written, and who should have delivered it."""
    return {
        "type": f"notice.{letter.notice.kind}",
        "timestamp": letter.at.isoformat(),
        "data": {**letter.notice.as_json(), "id": letter.key, "not_delivered_by": list(letter.failed)},
    }


def signature_headers(key: bytes, message_id: str, at: datetime, content: bytes) -> dict[str, str]:
    """Return the three headers: HMAC-SHA256 over "id.seconds.content"."""
    seconds = str(int(at.timestamp()))
    digest = hmac.new(key, f"{message_id}.{seconds}.".encode() + content, hashlib.sha256).digest()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": seconds,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


def _key(secret: str) -> bytes:
    """Return the key: what stands in base64 behind whsec_, else the secret's own bytes."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True) if secret.startswith(PREFIX) else b""
    except binascii.Error as error:
        raise NotTaken(f"its secret is no base64 behind {PREFIX}", permanent=True) from error
    key = key or secret.encode()
    if len(key) < SHORTEST_KEY:
        raise NotTaken(f"its secret has {len(key)} bytes; at least {SHORTEST_KEY} make a signature", permanent=True)
    return key
