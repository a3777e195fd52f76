"""Listen to a bot: ask Telegram what is new, answer it, and again, whatever goes wrong in between."""

from __future__ import annotations

import html
import logging
import threading
from collections.abc import Callable

from django.db import DatabaseError, InterfaceError, close_old_connections

from apps.monitor.alerts.channels.letter import clipped
from apps.monitor.alerts.channels.refusals import NotTaken, redacted
from apps.monitor.alerts.channels.telegram import TOKEN, ask
from apps.monitor.alerts.telegram.handling import answer_to
from apps.monitor.alerts.telegram.offsets import next_update, take_update
from apps.monitor.alerts.telegram.updates import Message, Update, updates_of
from moondev.domain.clock import LiveClock
from moondev.domain.errors import InvalidValue
from moondev.logs.redaction import redaction

logger = logging.getLogger(__name__)
# Shorter than the supervisor's patience, so that stopping waits for no phone.
POLL_SECONDS = 8
# Of the 4096 characters that a message may have, counted without markup.
LONGEST_ANSWER = 4_000
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 60.0


class Listener:
    """Handles what is said to one bot."""

    def __init__(self, token: str) -> None:
        """Raises InvalidValue, without the token, for what is none."""
        if TOKEN.fullmatch(token) is None:
            raise InvalidValue("TELEGRAM_COMMANDS_TOKEN", "•••", "a token as BotFather gives it, such as 12345:AbC…")
        self._token, self._bot = token, token.partition(":")[0]

    def run(self, stop: threading.Event, turned: Callable[[], None]) -> None:
        """Listen until told to stop; `turned` is called after each round."""
        pause = FIRST_PAUSE_SECONDS
        while not stop.is_set():
            try:
                self.listen_once(POLL_SECONDS)
                pause, wait = FIRST_PAUSE_SECONDS, 0.0
            except NotTaken as error:
                # Another process listens to the same bot (409), the token is none any more (401), Telegram is away.
                wait = error.retry_after_seconds or (LONGEST_PAUSE_SECONDS if error.permanent else pause)
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
                logger.warning("Telegram did not tell what is new, next in %.0f s: %s", wait, self._safe(str(error)))
            except (DatabaseError, InterfaceError) as error:
                wait, pause = pause, min(pause * 2, LONGEST_PAUSE_SECONDS)
                logger.warning("nothing can be handled without the database, next in %.0f s: %s", wait, error)
                close_old_connections()
            turned()
            stop.wait(wait)

    def listen_once(self, poll_seconds: int) -> int:
        """Ask once what is new and answer it; return how many updates were handled. Raises NotTaken, DatabaseError."""
        found = ask(
            self._token, "getUpdates",
            {"offset": next_update(self._bot, LiveClock().now()), "timeout": poll_seconds,
             "allowed_updates": ["message"]},
            think_seconds=poll_seconds,
        )  # fmt: skip
        return sum(self._handle(update) for update in updates_of(found))

    def _handle(self, update: Update) -> bool:
        now = LiveClock().now()
        if not take_update(self._bot, update.update_id, now):
            return False
        message = update.message
        if message is None:
            return True
        try:
            told = answer_to(message, now)
        except (DatabaseError, InterfaceError):
            self._say(message, "that failed: the database does not answer; look before you ask again")
            raise
        except Exception:  # a bug in one command must not keep the others from being heard
            logger.exception("a command by Telegram failed")
            told = "that failed; the log says why. Look before you ask again"
        if told:
            self._say(message, told)
        return True

    def _say(self, message: Message, told: str) -> None:
        """Answer where it was asked. As code, in which Telegram makes no links, names or commands of others' words."""
        # Cut, since of what is too long Telegram takes nothing: when most is wrong most is said.
        text = html.escape(clipped(redaction()(told), LONGEST_ANSWER))
        where = {"chat_id": message.chat.id, "text": f"<pre>{text}</pre>", "parse_mode": "HTML"}
        try:
            ask(self._token, "sendMessage", {**where, "link_preview_options": {"is_disabled": True}})
        except NotTaken as error:
            # Done is done; whoever asked sees no answer, and looks.
            logger.warning("the answer did not reach chat %s: %s", message.chat.id, self._safe(str(error)))

    def _safe(self, text: str) -> str:
        return redacted(text, self._token)
