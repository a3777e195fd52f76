"""Who is heard. Nobody else gets an answer, so that whoever tries does not even learn that somebody listens."""

from __future__ import annotations

import logging

from django.conf import settings

from apps.monitor.access.rates import api_rates
from apps.monitor.alerts.telegram.updates import PRIVATE, Message
from apps.monitor.audit.append import audit_append
from apps.monitor.models import TelegramUser

logger = logging.getLogger(__name__)
ADDRESS = "telegram"
# How often strangers are written down: each, and all together. A flood must not fill the trail.
RATE_OF_ONE, RATE_OF_ALL = "2/hour", "30/hour"
# How often one of ours may ask for something.
RATE_OF_COMMANDS = "30/minute"


def person_of(message: Message) -> TelegramUser | None:
    """Return who wrote a message, when he may give commands from where he wrote it; None for everybody else."""
    sender = message.sender
    if sender is None or not message.is_own:
        return None
    if message.chat.type != PRIVATE and message.chat.id not in settings.TELEGRAM_CHATS:
        _note(sender.id, f"wrote in chat {message.chat.id}, which is not in TELEGRAM_CHATS")
        return None
    person = TelegramUser.objects.select_related("user").filter(telegram_id=sender.id, enabled=True).first()
    if person is None or not (person.user.is_active and person.user.is_staff):
        _note(sender.id, "is nobody of ours")
        return None
    if api_rates().hit(RATE_OF_COMMANDS, ADDRESS, str(sender.id)) is not None:
        _note(sender.id, f"asks more than {RATE_OF_COMMANDS}")
        return None
    return person


def _note(telegram_id: int, why: str) -> None:
    """Write down who was not heard; of what he wrote nothing, for it is not ours to keep."""
    rates = api_rates()
    if rates.hit(RATE_OF_ONE, f"{ADDRESS}-stranger", str(telegram_id)) is not None:
        return
    if rates.hit(RATE_OF_ALL, f"{ADDRESS}-strangers") is not None:
        return
    logger.warning("Telegram %s was not heard: %s", telegram_id, why)
    audit_append(
        action="telegram refused", subject=f"telegram:{telegram_id}", actor="nobody", address=ADDRESS, reason=why
    )
