"""Each update is handled once: its number is written down before anything is done about it.

Whoever dies in between has not done what was asked, and has not answered either; the person asks again. The other way
round a halt that was released in the meantime could come back.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from apps.monitor.models import TelegramOffset

# After a week without updates Telegram's numbers begin anew anywhere, maybe lower; it keeps updates for one day, so by
# then none that we have handled can come again. https://core.telegram.org/bots/api#update
FORGOTTEN_AFTER = timedelta(days=6)


def next_update(bot: str, now: datetime) -> int:
    """Return from which number on a bot's updates are wanted; 0 is all there are."""
    row = TelegramOffset.objects.filter(bot=bot).first()
    return 0 if row is None or _is_old(row, now) else row.next_update


@transaction.atomic
def take_update(bot: str, update_id: int, now: datetime) -> bool:
    """Take an update for handling; False when it has been taken before, here or by another process."""
    TelegramOffset.objects.get_or_create(bot=bot)
    row = TelegramOffset.objects.select_for_update().get(bot=bot)
    if update_id < row.next_update and not _is_old(row, now):
        return False
    row.next_update, row.handled_at = update_id + 1, now
    row.save()
    return True


def _is_old(row: TelegramOffset, now: datetime) -> bool:
    return row.handled_at is None or now - row.handled_at > FORGOTTEN_AFTER
