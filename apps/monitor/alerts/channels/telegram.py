"""Telegram: Apprise makes the message, we post it and read the answer. https://core.telegram.org/bots/api#sendmessage"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from typing import Any

from apprise import AppriseAttachment
from apprise.plugins.telegram import NotifyTelegram
from django.conf import settings

from apps.monitor.alerts.channels.http import Answer, post, require_taken, sensible_wait
from apps.monitor.alerts.channels.letter import Letter, asset, clipped
from apps.monitor.alerts.channels.options import TelegramOptions
from apps.monitor.alerts.channels.refusals import NotTaken

# A message may have 4096 characters, counted without markup.
LONGEST_TEXT = 3_200
TOKEN = re.compile(r"\d{1,20}:[A-Za-z0-9_-]{10,100}")


class Telegram(NotifyTelegram):
    """Apprise's Telegram, posted by us."""

    def throttle(self, *_: Any, **__: Any) -> None:  # noqa: ANN401  Apprise's signature
        """Wait for nothing: how long to wait is for the outbox to decide."""

    def send(
        self,
        body: str,
        title: str = "",  # noqa: ARG002  Apprise has put it into the body
        notify_type: Any = None,  # noqa: ANN401, ARG002  Apprise's signature
        attach: AppriseAttachment | None = None,
        body_format: Any = None,  # noqa: ANN401, ARG002  always HTML
        body_passthrough: Any = None,  # noqa: ANN401, ARG002  Apprise's signature
        **_: Any,  # noqa: ANN401  Apprise's signature
    ) -> bool:
        """Send the text, then its files. Raises NotTaken."""
        chat, topic = self.targets[0]
        where = {"chat_id": chat} | ({"message_thread_id": topic} if topic else {})
        text = {"text": body, "parse_mode": "HTML", "link_preview_options": {"is_disabled": True}}
        ask(self.bot_token, "sendMessage", where | text)
        for one in attach or ():
            ask(self.bot_token, "sendDocument", where, (one.name, one.open(), one.mimetype))
        return True


def tell(options: TelegramOptions, secret: str, letter: Letter) -> str:
    """Send a letter to a chat, as the bot whose token is the secret. Raises NotTaken."""
    way = Telegram(  # type: ignore[no-untyped-call]  # Apprise has no types there
        bot_token=_token(secret), targets=[options.chat], topic=options.topic, detect_owner=False, format="html",
        asset=asset(),
    )  # fmt: skip
    way.notify(body=written(letter), notify_type=letter.type, body_format="html", attach=letter.attachments())
    return ""


def written(letter: Letter) -> str:
    """Return a letter as HTML. What others wrote is set as code: Telegram makes no links, names or commands of it."""
    notice = letter.notice
    lines = [
        f"{letter.mark} <b>{html.escape(letter.heading)}</b>",
        f"<pre>{html.escape(notice.title)}</pre>",
        f"<pre>{html.escape(clipped(notice.body, LONGEST_TEXT))}</pre>" if notice.body else "",
        html.escape(letter.detour),
        f'<a href="{html.escape(notice.url)}">Look at it</a>' if notice.url else "",
        html.escape(letter.footer),
    ]
    return "<br>".join(line for line in lines if line)


def ask(
    token: str,
    method: str,
    arguments: Mapping[str, Any],
    document: Any = None,  # noqa: ANN401  a file as requests takes it
    *,
    think_seconds: float = 0.0,
) -> Any:  # noqa: ANN401  any JSON
    """Ask the Bot API for something; return its result. Raises NotTaken."""
    url = f"{settings.ALERTS_TELEGRAM_URL}/bot{token}/{method}"
    if document is None:
        content = json.dumps(arguments).encode()
        answer = post(url, headers={"Content-Type": "application/json"}, data=content, think_seconds=think_seconds)
    else:
        answer = post(url, headers={}, data=dict(arguments), files={"document": document})
    return _result(answer)


def _token(secret: str) -> str:
    if TOKEN.fullmatch(secret) is None:
        raise NotTaken("its secret is no token of a bot, such as BotFather gives", permanent=True)
    return secret


def _result(answer: Answer) -> Any:  # noqa: ANN401  any JSON
    told = answer.told()
    parameters = told.get("parameters")
    wait = parameters.get("retry_after") if isinstance(parameters, dict) else None
    require_taken(answer, str(told.get("description", "")), sensible_wait(wait))
    if told.get("ok") is not True or "result" not in told:
        raise NotTaken(f"it answered {answer.status}, yet not as Telegram does")
    return told["result"]
