"""A strategy as an operator sees it: which idea, which parameters, which money, when."""

from __future__ import annotations

from decimal import Decimal

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from apps.exchanges.models import Account, InstrumentRow
from apps.exchanges.models.fields import AmountField
from apps.exchanges.models.orders import choices
from apps.exchanges.models.venues import CODE
from moondev.domain.values import Side


class Trigger(models.TextChoices):
    """What makes a strategy due."""

    INTERVAL = "interval", "every so many seconds (Celery beat)"
    BAR = "bar", "when a bar closes"
    BOOK = "book", "when the book has moved"


class Routing(models.TextChoices):
    """Where the risk a strategy opens may go. What reduces a position goes where the position is."""

    HOME = "home", "its own account, always"
    FAILOVER = "failover", "its own account; a stand-in while its venue is down"
    CHEAPEST = "cheapest", "wherever fees, spread and depth cost least"


class Stage(models.TextChoices):
    """How far a strategy has come. Each step up has its gates; the way down is open at any time."""

    RESEARCH = "research", "research: backtests only"
    PAPER = "paper", "paper: trades where no money is real"
    LIMITED_LIVE = "limited_live", "limited live: real money, a part of its capital"
    LIVE = "live", "live: real money"


class StrategyRow(models.Model):
    """One running instance of an idea from the library.

    `state` is what the idea must remember, saved whole: a save names the `state_version` it read,
    so any worker on any machine can run the next tick. `overruns` counts ticks over the soft limit
    in a row; three pause the strategy.

    `stage`, with what belongs to it, changes through apps/strategies/promotion alone: `capital_share` is the part of
    the capital it may use, `certified_version` and `certified_hash` the parameters and the code that passed the gates
    to real money. `profit_elsewhere` is what it had made when it came to where its money is now, from paper to real
    money or back: it trades with none of that. `created_by` and `edited_by` are its authors, who cannot approve it.
    """

    slug = models.CharField(max_length=64, unique=True, validators=[CODE])
    kind = models.CharField(max_length=64, help_text="Name in the strategy library.")
    parameters = models.JSONField(default=dict)
    parameters_version = models.PositiveIntegerField(default=1, editable=False)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="strategies")
    instruments = models.ManyToManyField(
        InstrumentRow, through="StrategyInstrument", through_fields=("strategy", "instrument")
    )
    routing = models.CharField(max_length=8, choices=Routing, default=Routing.HOME)
    trigger = models.CharField(max_length=8, choices=Trigger, default=Trigger.INTERVAL)
    cadence_seconds = models.PositiveIntegerField(
        default=60, validators=[MinValueValidator(1), MaxValueValidator(86_400)]
    )
    book_move_bps = models.DecimalField(max_digits=6, decimal_places=2, default=Decimal(2))
    deadline_ms = models.PositiveIntegerField(
        default=5_000, help_text="A tick not recorded after so much real time is never executed."
    )
    priority = models.PositiveSmallIntegerField(default=5, validators=[MaxValueValidator(9)])
    capital = AmountField(validators=[MinValueValidator(Decimal(0))], help_text="In the account's currency.")
    leverage = models.DecimalField(max_digits=5, decimal_places=2, default=Decimal(1))
    reprice_bps = models.DecimalField(max_digits=6, decimal_places=2, default=Decimal(1))
    slippage_bps = models.DecimalField(
        max_digits=6,
        decimal_places=2,
        default=Decimal(50),
        validators=[MinValueValidator(Decimal(0))],
        help_text="How far from the mid a market order may trade.",
    )
    enabled = models.BooleanField(default=False)
    paused_reason = models.CharField(max_length=300, blank=True)
    overruns = models.PositiveSmallIntegerField(default=0, editable=False)
    state = models.JSONField(default=dict, blank=True)
    state_version = models.BigIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    stage = models.CharField(max_length=12, choices=Stage, default=Stage.RESEARCH, editable=False)
    stage_since = models.DateTimeField(null=True, editable=False)
    capital_share = models.DecimalField(max_digits=5, decimal_places=4, default=Decimal(1), editable=False)
    certified_version = models.PositiveIntegerField(default=0, editable=False)
    certified_hash = models.CharField(max_length=64, blank=True, editable=False)
    profit_elsewhere = AmountField(default=0, editable=False)
    created_by = models.CharField(max_length=150, blank=True, editable=False)
    edited_by = models.CharField(max_length=150, blank=True, editable=False)

    class Meta:
        """The table is called after the thing, not after the row class."""

        db_table = "strategies_strategy"
        verbose_name = "strategy"
        verbose_name_plural = "strategies"
        constraints = [
            models.CheckConstraint(condition=Q(capital__gte=0, leverage__gt=0), name="strategy_money_positive")
        ]

    def __str__(self) -> str:
        """Return the slug."""
        return self.slug


class StrategyInstrument(models.Model):
    """Which strategy may trade which instrument on which account.

    A row with `stands_in_for` is the same thing at another venue, where the strategy's new risk may go
    (`StrategyRow.routing`); of several the lowest `rank` is asked first. The strategy itself sees and names only the
    others, its own: each on the strategy's account, or on one abroad when it is of another venue. `exclusive` is true
    while the strategy is enabled on an account that is not shared; the constraint then lets no second enabled strategy
    have the same instrument there.
    """

    strategy = models.ForeignKey(StrategyRow, on_delete=models.CASCADE)
    instrument = models.ForeignKey(InstrumentRow, on_delete=models.PROTECT)
    account = models.ForeignKey(Account, on_delete=models.PROTECT)
    exclusive = models.BooleanField(default=False)
    stands_in_for = models.ForeignKey(
        InstrumentRow, on_delete=models.PROTECT, null=True, blank=True, related_name="stand_ins"
    )
    rank = models.PositiveSmallIntegerField(default=0)

    class Meta:
        """An (account, instrument) belongs to one enabled strategy unless the account is shared."""

        constraints = [
            models.UniqueConstraint(fields=["strategy", "instrument"], name="instrument_once_per_strategy"),
            models.UniqueConstraint(
                fields=["account", "instrument"],
                condition=Q(exclusive=True),
                name="instrument_has_one_owner",
            ),
        ]

    def __str__(self) -> str:
        """Return strategy and instrument."""
        return f"{self.strategy_id}/{self.instrument_id}"


class SignalSize(models.Model):
    """The size of a signal, fixed when it first appears, so that prices moving do not trade."""

    strategy = models.CharField(max_length=64)
    instrument = models.ForeignKey(InstrumentRow, on_delete=models.CASCADE)
    side = models.CharField(max_length=4, choices=choices(Side))
    signal_id = models.CharField(max_length=100)
    weight = models.FloatField()
    quantity = AmountField()
    created_at = models.DateTimeField()

    class Meta:
        """Fixed once."""

        constraints = [
            models.UniqueConstraint(fields=["strategy", "instrument", "side", "signal_id"], name="size_fixed_once")
        ]

    def __str__(self) -> str:
        """Return signal and size."""
        return f"{self.signal_id} {self.quantity:f}"


class StrategyEvent(models.Model):
    """Something an operator should be able to find out later: errors, pauses, edits. Append only."""

    strategy = models.CharField(max_length=64, db_index=True)
    at = models.DateTimeField()
    kind = models.CharField(max_length=32)
    message = models.TextField()

    class Meta:
        """Newest first."""

        ordering = ["-id"]

    def __str__(self) -> str:
        """Return what happened."""
        return f"{self.strategy}: {self.message[:80]}"
