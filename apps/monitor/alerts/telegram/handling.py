"""From a message to its answer: who is it, what does he want, may he, and then it is done in his name."""

from __future__ import annotations

import logging
import re
from datetime import datetime, timedelta

from apps.monitor.alerts.notice import printable
from apps.monitor.alerts.telegram.commands import COMMANDS, Command, Said, may
from apps.monitor.alerts.telegram.people import ADDRESS, person_of
from apps.monitor.alerts.telegram.updates import PRIVATE, Message
from apps.monitor.audit.acting import acting
from apps.monitor.audit.append import audit_append
from moondev.domain.errors import TradingError

logger = logging.getLogger(__name__)
# What has lain longer, while nobody listened, is not what somebody wants now.
FRESH = timedelta(minutes=2)
LONGEST_TEXT = 500
# "/pause@our_bot turtle", "pause turtle"
_COMMAND = re.compile(r"(/?)([A-Za-z]{2,20})(@[A-Za-z0-9_]{3,40})?(?:\s+(.*))?", re.DOTALL)


def answer_to(message: Message, now: datetime) -> str:
    """Do what a message asks for, when it may be asked; return what to answer, and nothing for whoever is not heard."""
    person = person_of(message)
    if person is None:
        return ""
    found = _COMMAND.fullmatch(printable(message.text, LONGEST_TEXT))
    if found is None or (message.chat.type != PRIVATE and not found[1]):
        # In a group people also talk to each other.
        return "" if message.chat.type != PRIVATE else "what is that? help shows what I understand"
    name = found[2].lower()
    command = COMMANDS.get(name)
    if command is None:
        return "there is no such command; help shows those there are"
    said = Said(person, message.chat.id, now, tuple((found[4] or "").split()))
    if now - message.date > FRESH:
        return _told(name, command, said, f"not done: this is older than {FRESH.seconds} seconds; say it again")
    if not may(person, command):
        return _told(name, command, said, f"not done: your role may not {name}")
    return _act(name, command, said)


def _act(name: str, command: Command, said: Said) -> str:
    if not command.changes:
        return command.act(said)
    with acting(said.actor, ADDRESS, said.reason()):
        try:
            told = command.act(said)
        except TradingError as error:
            told = f"not done: {error}"
        return _told(name, command, said, told)


def _told(name: str, command: Command, said: Said, told: str) -> str:
    """Write a command that changes something into the trail with how it ended, and return that."""
    if command.changes:
        # Behind confirm stands a code, and in the answer to kill as well.
        secret = name in {"confirm", "kill"}
        audit_append(
            action=f"telegram {name}", subject="" if name == "confirm" else " ".join(said.words)[:300],
            actor=said.actor, address=ADDRESS,
            after={"telegram": said.person.telegram_id, "chat": said.chat,
                   "outcome": re.sub(r"\b\d{6}\b", "••••••", told) if secret else told},
        )  # fmt: skip
    return told
