"""Alert rules, the alerts they raise, and the readings they were raised on."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from apps.exchanges.models.fields import AmountField
from apps.exchanges.models.venues import CODE

DAY, MONTH = 86_400, 30 * 86_400
ANYWHERE = "*"


class Severity(models.TextChoices):
    """How soon somebody must look."""

    INFO = "info", "info: for the record"
    WARNING = "warning", "warning: look when you can"
    CRITICAL = "critical", "critical: look now"


class Comparison(models.TextChoices):
    """On which side of its threshold a reading is wrong."""

    ABOVE = "above", "above"
    AT_LEAST = "at_least", "at or above"
    BELOW = "below", "below"
    AT_MOST = "at_most", "at or below"


def _seconds(default: int, words: str) -> models.PositiveIntegerField[int, int]:
    return models.PositiveIntegerField(default=default, validators=[MaxValueValidator(MONTH)], help_text=words)


class AlertRule(models.Model):
    """What is measured, when that is wrong, who is told, and when they are left alone. Durations in seconds.

    `scope` is one scope (``account:paper-1``), all of a kind (``account:*``) or ``*``. A reading that is missing is
    never taken for zero: after `unknown_seconds` that is an alert of its own, of `unknown_severity`. While an alert of
    one of the rules in `muted_by` fires where this one would, or around it, this one is shown and told to nobody: of a
    venue that is down nobody needs to hear that its prices are old as well. Alerts of one `group` are told together.
    No `channels` means every enabled one.
    """

    slug = models.CharField(max_length=40, unique=True, validators=[CODE])
    title = models.CharField(max_length=80, help_text="What an alert is called.")
    advice = models.CharField(max_length=300, blank=True, help_text="What to do then.")
    reading = models.CharField(max_length=40, help_text="What is measured.")
    scope = models.CharField(max_length=120, default=ANYWHERE, help_text="kind:key, kind:* or *")
    severity = models.CharField(max_length=8, choices=Severity, default=Severity.WARNING)
    comparison = models.CharField(max_length=8, choices=Comparison, default=Comparison.AT_LEAST)
    threshold = AmountField(help_text="In the unit of the reading.")
    for_seconds = _seconds(0, "How long it must be so before anybody is told.")
    resolve_seconds = _seconds(30, "How long it must be well before that is believed.")
    cool_down_seconds = _seconds(600, "Within this time after its end it is the same alert, and nobody is told anew.")
    unknown_severity = models.CharField(
        max_length=8, choices=Severity, default=Severity.WARNING, blank=True, help_text="Of a reading that is missing."
    )
    unknown_seconds = _seconds(300, "How long a reading may be missing.")
    group = models.CharField(max_length=40, blank=True, validators=[CODE], help_text="Told in one message with others.")
    muted_by = ArrayField(
        models.CharField(max_length=40), default=list, blank=True, help_text="Rules that say it already."
    )
    channels = ArrayField(models.CharField(max_length=50), default=list, blank=True, help_text="Empty: every one.")
    tell_resolved = models.BooleanField(default=True, help_text="Say so when it is over.")
    escalate_seconds = models.PositiveIntegerField(
        null=True, blank=True, validators=[MinValueValidator(10), MaxValueValidator(DAY)],
        help_text="Not acknowledged for so long: others are told. Empty: never.",
    )  # fmt: skip
    escalate_channels = ArrayField(models.CharField(max_length=50), default=list, blank=True)
    remind_seconds = models.PositiveIntegerField(
        null=True, blank=True, validators=[MinValueValidator(60), MaxValueValidator(MONTH)],
        help_text="Say it again that often until it is acknowledged or over. Empty: never.",
    )  # fmt: skip
    quiet_from = models.TimeField(null=True, blank=True, help_text="Quiet hours begin, in the zone below.")
    quiet_until = models.TimeField(null=True, blank=True, help_text="What was held back is told then, in one message.")
    quiet_zone = models.CharField(max_length=60, default="UTC", help_text="As in Europe/Berlin.")
    critical_pierces = models.BooleanField(default=True, help_text="Critical alerts are told in quiet hours too.")
    enabled = models.BooleanField(default=True)
    version = models.PositiveIntegerField(default=1, editable=False)
    updated_by = models.CharField(max_length=150, blank=True, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        """In the order of their names."""

        ordering = ["slug"]

    def __str__(self) -> str:
        """Return the slug."""
        return self.slug

    def clean(self) -> None:
        """Refuse what could never fire, would never end, or names what is not there."""
        # The readings are the floor's own code, which knows this table.
        from apps.monitor.alerts.checking import flaws  # noqa: PLC0415  models come before

        if found := flaws(self):
            raise ValidationError(found)


class AlertState(models.TextChoices):
    """Where an alert stands. PENDING: it is so, and not yet for long enough."""

    PENDING = "pending"
    FIRING = "firing"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


class Alert(models.Model):
    """One thing that is wrong, or was, in one scope. `rule`, `scope` and `about` are its fingerprint.

    `since` is when it began, `fired_at` when it had been so for long enough, `clear_since` since when it is well
    again. `told_at` is when people were first told of it; `held` says why nobody was told yet. `count` is how often it
    came back within its cool-down.
    """

    class About(models.TextChoices):
        """What is wrong: the reading, or that there is none."""

        BREACH = "breach", "the reading"
        UNKNOWN = "unknown", "no reading"

    class Label(models.TextChoices):
        """What a person said of it afterwards."""

        RIGHT = "right", "right to tell"
        FALSE = "false", "false alarm"

    rule = models.ForeignKey(AlertRule, on_delete=models.PROTECT, related_name="alerts")
    scope = models.CharField(max_length=200)
    within = ArrayField(models.CharField(max_length=200), default=list)
    about = models.CharField(max_length=7, choices=About, default=About.BREACH)
    severity = models.CharField(max_length=8, choices=Severity)
    title = models.CharField(max_length=200)
    detail = models.CharField(max_length=500, blank=True)
    value = AmountField(null=True)
    threshold = AmountField()
    state = models.CharField(max_length=12, choices=AlertState, default=AlertState.PENDING)
    since = models.DateTimeField()
    fired_at = models.DateTimeField(null=True)
    clear_since = models.DateTimeField(null=True)
    resolved_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField()
    count = models.PositiveIntegerField(default=0)
    acknowledged_by = models.CharField(max_length=150, blank=True)
    acknowledged_at = models.DateTimeField(null=True)
    acknowledge_reason = models.CharField(max_length=300, blank=True)
    label = models.CharField(max_length=5, choices=Label, blank=True)
    told_at = models.DateTimeField(null=True)
    reminded_at = models.DateTimeField(null=True)
    escalated_at = models.DateTimeField(null=True)
    closed_told = models.BooleanField(default=True, help_text="Whether nothing of its end is left to tell.")
    held = models.CharField(max_length=12, blank=True)

    class Meta:
        """Newest first; of one fingerprint one at a time."""

        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["rule", "scope", "about"], condition=~Q(state="resolved"), name="alert_once_at_a_time"
            )
        ]
        indexes = [
            models.Index(fields=["rule", "-resolved_at"], name="alert_lately_over"),
            models.Index(fields=["-resolved_at"], name="alert_over"),
        ]

    def __str__(self) -> str:
        """Return the title and the state."""
        return f"{self.title} ({self.state})"


class AlertPass(models.Model):
    """When the rules were last looked at, and by whom. Its one row is the lock that lets one watch pass at a time."""

    id = models.SmallIntegerField(primary_key=True)
    watcher = models.CharField(max_length=100)
    at = models.DateTimeField()

    def __str__(self) -> str:
        """Return who and when."""
        return f"{self.watcher} {self.at:%F %T}"


class ReadingSample(models.Model):
    """What a reading was from `at` on, until its next sample. Written when it has changed by what matters to a rule."""

    class Known(models.TextChoices):
        """Whether there was a value."""

        VALUE = "value"
        UNKNOWN = "unknown"
        GONE = "gone", "the scope is there no more"

    reading = models.CharField(max_length=40)
    scope = models.CharField(max_length=200)
    at = models.DateTimeField(db_index=True)
    known = models.CharField(max_length=7, choices=Known)
    value = models.FloatField(null=True)

    class Meta:
        """Read series by series."""

        indexes = [models.Index(fields=["reading", "scope", "-at"], name="sample_series")]

    def __str__(self) -> str:
        """Return the reading and what it was."""
        return f"{self.reading} {self.scope}: {self.value if self.known == self.Known.VALUE else self.known}"
