"""Where notices go, and what is on its way there."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Q

from moondev.domain.errors import InvalidValue


class ChannelKind(models.TextChoices):
    """What is spoken there."""

    DISCORD = "discord", "Discord"
    TELEGRAM = "telegram", "Telegram"
    EMAIL = "email", "e-mail"
    WEBHOOK = "webhook", "webhook"


class Channel(models.Model):
    """One way to reach people. Its secret is in the environment: the row says under which name, never what it is.

    `fallback` gets what cannot be delivered here. The last three are the deliveries' own: until when what was sent uses
    up the rate, until when the server asked to be left alone, and how often in a row it has failed.
    """

    slug = models.SlugField(max_length=50, unique=True)
    kind = models.CharField(max_length=10, choices=ChannelKind)
    # Of names with one beginning only, so that nobody can have another secret of the platform sent somewhere.
    secret_variable = models.CharField(
        max_length=80, blank=True,
        validators=[RegexValidator(r"^ALERTS_[A-Z0-9_]+\Z", "the name of a variable, such as ALERTS_DISCORD_OPS")],
        help_text="Name of the environment variable that holds the secret (with _FILE: of the file that does), such"
        " as ALERTS_DISCORD_OPS. Discord: the webhook's address. Telegram: the bot's token. Webhook: the key of the"
        " signature. E-mail: the password, if the server wants one.",
    )  # fmt: skip
    options = models.JSONField(
        default=dict, blank=True,
        help_text='Telegram: {"chat": "-100123"}. Webhook: {"url": "https://…"}. E-mail: {"to": ["ops@example.com"],'
        ' "sender": "…", "host": "…", "port": 587, "security": "starttls", "user": "…"}.',
    )  # fmt: skip
    enabled = models.BooleanField(default=True, help_text="Off: the fall-back gets what was meant for it.")
    fallback = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    per_minute = models.PositiveSmallIntegerField(
        default=20, validators=[MinValueValidator(1), MaxValueValidator(600)],
        help_text="At most so many messages a minute; more of them wait, the most severe first.",
    )  # fmt: skip
    free_at = models.DateTimeField(null=True, editable=False)
    quiet_until = models.DateTimeField(null=True, editable=False)
    failures_in_row = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        """By name."""

        ordering = ["slug"]
        permissions = [("test_channel", "Can send a test over a channel")]
        constraints = [
            models.CheckConstraint(condition=Q(fallback=None) | ~Q(fallback=F("id")), name="channel_no_own_fallback"),
            models.CheckConstraint(
                condition=Q(secret_variable="") | Q(secret_variable__regex=r"^ALERTS_[A-Z0-9_]+$"),  # noqa: S106  a name
                name="channel_names_its_secret",
            ),
        ]

    def __str__(self) -> str:
        """Return its name."""
        return self.slug

    def clean(self) -> None:
        """Refuse options that the kind does not have, and fall-backs that come back here."""
        # Here, because options are checked against settings.
        from apps.monitor.alerts.channels.options import checked  # noqa: PLC0415  models come before

        try:
            self.options = checked(self.kind, self.options, self.secret_variable)
        except InvalidValue as error:
            field = error.field if error.field == "secret_variable" else "options"
            raise ValidationError({field: str(error)}) from error
        way = self.fallbacks()
        if way and way[-1].fallback_id is not None:
            raise ValidationError({"fallback": f"it comes back: {' → '.join(one.slug for one in (self, *way))} → …"})

    def fallbacks(self) -> Sequence[Channel]:
        """Return who follows it, in order. A circle ends before it begins again: its last one has a fall-back still."""
        way: list[Channel] = []
        following = self.fallback
        while following is not None and following not in (self, *way):
            way.append(following)
            following = following.fallback
        return way


class DeliveryState(models.TextChoices):
    """How far a notice has got. FAILED was refused, GAVE_UP was tried too often; both went on to the fall-back."""

    QUEUED = "queued"
    SENDING = "sending"
    DELIVERED = "delivered"
    FAILED = "failed"
    GAVE_UP = "gave_up", "gave up"


OPEN = (DeliveryState.QUEUED, DeliveryState.SENDING)


class Delivery(models.Model):
    """One notice on its way to one channel: a row of the outbox.

    `key` goes along, so that whoever gets a message twice can tell. `next_attempt_at` of one that is SENDING is the end
    of its lease: whoever sends it has died by then, and somebody else takes it up. `instead_of` is the delivery that
    failed before this one, `failed_channels` where, and `noticed_at` when the first of them was queued.
    """

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    channel = models.ForeignKey(Channel, on_delete=models.PROTECT, related_name="deliveries")
    notice = models.JSONField()
    title = models.CharField(max_length=200)
    urgency = models.PositiveSmallIntegerField(default=0)
    state = models.CharField(max_length=10, choices=DeliveryState, default=DeliveryState.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    noticed_at = models.DateTimeField()
    created_at = models.DateTimeField()
    next_attempt_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=300, blank=True)
    instead_of = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="taken_over_by")
    failed_channels = models.JSONField(default=list)

    class Meta:
        """Newest first; those on their way are found without reading the others."""

        verbose_name_plural = "deliveries"
        ordering = ["-id"]
        indexes = [
            models.Index(
                fields=["next_attempt_at"], condition=Q(state__in=["queued", "sending"]), name="delivery_on_its_way"
            ),
        ]

    def __str__(self) -> str:
        """Return what goes where, and how far it has got."""
        return f"{self.title} → {self.channel_id}: {self.state}"
