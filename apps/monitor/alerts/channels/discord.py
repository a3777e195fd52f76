"""Discord: Apprise makes the message, we post it and read the answer.

https://docs.discord.com/developers/resources/webhook#execute-webhook
"""

from __future__ import annotations

import json
import re
from typing import Any

from apprise.attachment.base import AttachBase
from apprise.plugins.discord import NotifyDiscord
from django.conf import settings

from apps.monitor.alerts.channels.http import Answer, post, require_taken, sensible_wait
from apps.monitor.alerts.channels.letter import Letter, asset, clipped
from apps.monitor.alerts.channels.options import DiscordOptions
from apps.monitor.alerts.channels.refusals import NotTaken

# An embed's text may have 4096 characters; every one of ours may need a backslash, and the footer has to go in, too.
LONGEST_TEXT, LONGEST_TITLE = 1_800, 120
_MARKUP = re.compile(r"([\\`*_~|<>\[\]()#@:\-+])")


class Discord(NotifyDiscord):
    """Apprise's Discord without its naps: how long to wait is for the outbox to decide."""

    def throttle(self, *_: Any, **__: Any) -> None:  # noqa: ANN401  Apprise's signature
        """Wait for nothing."""

    def ping_payload(self, *_: str) -> dict[str, Any]:
        """Ping nobody, whatever the text says."""
        return {}

    def _send(
        self,
        payload: dict[str, Any],
        attach: list[AttachBase] | None = None,
        params: dict[str, str] | None = None,
        rate_limit: int = 0,  # noqa: ARG002  how often Apprise would try again by itself
        **_: Any,  # noqa: ANN401  Apprise's signature
    ) -> bool:
        """Post one message. Raises NotTaken."""
        payload["allowed_mentions"] = {"parse": []}
        thread = f"&thread_id={params['thread_id']}" if params else ""
        url = f"{settings.ALERTS_DISCORD_URL}/{self.webhook_id}/{self.webhook_token}?wait=true{thread}"
        files = [(f"files[{n}]", (one.name, one.open(), one.mimetype)) for n, one in enumerate(attach or [])]
        if files:
            answer = post(url, headers={}, data={"payload_json": json.dumps(payload)}, files=files)
        else:
            answer = post(url, headers={"Content-Type": "application/json"}, data=json.dumps(payload).encode())
        _require_message(answer)
        return True


def tell(options: DiscordOptions, secret: str, letter: Letter) -> str:
    """Send a letter to a webhook, whose address is the secret. Raises NotTaken."""
    number, token = _webhook(secret)
    notice = letter.notice
    way = Discord(
        webhook_id=number, webhook_token=token, thread=options.thread or None, href=notice.url or None,
        avatar=False, fields=False, format="markdown", asset=asset(),
    )  # fmt: skip
    lines = [clipped(notice.body, LONGEST_TEXT), letter.detour, letter.footer]
    way.notify(
        title=f"{letter.mark} {inert(f'{letter.heading}: {clipped(notice.title, LONGEST_TITLE)}')}",
        body=inert("\n".join(line for line in lines if line)),
        notify_type=letter.type,
        body_format="markdown",
        attach=letter.attachments(),
    )
    return ""


def inert(text: str) -> str:
    """Return a text that Discord shows as it is: no bold, no link, no mention, no emoji."""
    return _MARKUP.sub(r"\\\1", text)


def _webhook(secret: str) -> tuple[str, str]:
    base = settings.ALERTS_DISCORD_URL
    found = re.fullmatch(re.escape(base) + r"/(\d{1,25})/([A-Za-z0-9_-]{1,200})/?", secret)
    if found is None:
        raise NotTaken(f"its secret is no address of a webhook: {base}/<number>/<token>", permanent=True)
    return found[1], found[2]


def _require_message(answer: Answer) -> None:
    told = answer.told()
    require_taken(answer, str(told.get("message", "")), sensible_wait(told.get("retry_after")))
    # With wait=true the message itself comes back; a proxy in between that answers 200 has delivered nothing.
    if not told.get("id"):
        raise NotTaken(f"it answered {answer.status}, yet not as Discord does")
