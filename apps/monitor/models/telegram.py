"""Who may give commands by Telegram, what they have been asked to confirm, and up to where messages are handled."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models


class TelegramUser(models.Model):
    """A person of Telegram's who is one of ours, and may do what his role allows.

    `telegram_id` is the number that Telegram gave him and that cannot be taken by another; a @name can.
    """

    telegram_id = models.BigIntegerField(
        unique=True,
        validators=[MinValueValidator(1)],
        help_text="His number: `manage.py telegram` logs those it refuses.",
    )
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="telegram_users")
    enabled = models.BooleanField(default=True)

    class Meta:
        """By person."""

        verbose_name = "Telegram user"
        ordering = ["user__username", "telegram_id"]

    def __str__(self) -> str:
        """Return both names."""
        return f"{self.user} (Telegram {self.telegram_id})"


class TelegramCode(models.Model):
    """A halt that waits to be confirmed: by the same person, in the same chat, within a minute, and once."""

    person = models.OneToOneField(TelegramUser, on_delete=models.CASCADE, related_name="code")
    chat = models.BigIntegerField()
    digest = models.CharField(max_length=64)
    scope = models.CharField(max_length=100)
    flatten = models.BooleanField(default=False)
    reason = models.CharField(max_length=250)
    expires_at = models.DateTimeField()
    tries_left = models.PositiveSmallIntegerField()

    def __str__(self) -> str:
        """Return what waits; never the code, which is not here."""
        return f"halt of {self.scope} asked by {self.person}"


class TelegramOffset(models.Model):
    """Up to where one bot's updates are handled. `bot` is its number, the part of the token that is no secret."""

    bot = models.CharField(max_length=20, primary_key=True)
    next_update = models.BigIntegerField(default=0)
    handled_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        """Return both numbers."""
        return f"bot {self.bot} from {self.next_update} on"
