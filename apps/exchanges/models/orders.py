"""Orders, the commands that change them, and the history of both."""

from __future__ import annotations

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Q

from apps.exchanges.models.accounts import Account
from apps.exchanges.models.fields import AmountField
from apps.exchanges.models.venues import InstrumentRow
from moondev.domain.orders import NON_FINAL, OrderStatus, OrderType, Purpose, TimeInForce
from moondev.domain.values import Side


def choices(enum: type) -> list[tuple[str, str]]:
    """Return Django choices of a StrEnum of the domain."""
    return [(member.value, member.value.replace("_", " ")) for member in enum]  # type: ignore[attr-defined]


class Order(models.Model):
    """One order, from the planner's wish to its last fill.

    `strategy` is the owner's slug (data that came down from the floor above, so no foreign key).
    `filled_quantity` is the sum of our fills; `venue_filled` the venue's own cumulative figure, so
    a missing fill shows. `venue_status` is the end the venue named; the order takes it on only when
    our fills have caught up with `venue_filled`, so nobody plans without a trade that has happened.
    `claimed_by`, `claimed_until`, `fence` are the sender's lease on this row.
    """

    # Every index is paid for on each of an order's five writes: the composite ones below serve these two.
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="orders", db_index=False)
    instrument = models.ForeignKey(InstrumentRow, on_delete=models.PROTECT, related_name="orders", db_index=False)
    strategy = models.CharField(max_length=64)
    tick_id = models.CharField(max_length=100)
    signal_id = models.CharField(max_length=100, blank=True)
    client_order_id = models.UUIDField(unique=True)
    venue_order_id = models.CharField(max_length=64, blank=True)
    side = models.CharField(max_length=4, choices=choices(Side))
    order_type = models.CharField(max_length=20, choices=choices(OrderType))
    time_in_force = models.CharField(max_length=10, choices=choices(TimeInForce))
    purpose = models.CharField(max_length=10, choices=choices(Purpose))
    quantity = AmountField()
    price = AmountField()
    trigger_price = AmountField(null=True, blank=True)
    trail_bps = AmountField(null=True, blank=True, help_text="How far a trailing stop stays behind, in basis points.")
    stop_price = AmountField(null=True, blank=True, help_text="Whatever of it fills gets a stop here.")
    take_profit_price = AmountField(null=True, blank=True, help_text="Whatever of it fills gets a take-profit here.")
    covered_quantity = AmountField(default=0, help_text="Of its fills, how much has its stop and take-profit.")
    parent = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="children", db_index=False
    )
    arrival_price = AmountField(null=True, blank=True, help_text="Mid price when it was planned.")
    status = models.CharField(max_length=16, choices=choices(OrderStatus))
    triggered = models.BooleanField(default=False)
    filled_quantity = AmountField(default=0)
    filled_notional = AmountField(default=0)
    venue_filled = AmountField(default=0)
    venue_status = models.CharField(max_length=16, blank=True)
    filled_before_amend = AmountField(
        default=0, help_text="Filled under earlier venue order ids; the venue counts from zero."
    )
    reserved = AmountField(default=0, help_text="Exposure this order still holds, in quote.")
    refusal_code = models.CharField(max_length=40, blank=True)
    refusal_limit = models.CharField(max_length=100, blank=True)
    refusal_value = models.CharField(max_length=100, blank=True)
    reason = models.CharField(max_length=300, blank=True)
    valid_until = models.DateTimeField()
    claimed_by = models.CharField(max_length=100, blank=True)
    claimed_until = models.DateTimeField(null=True)
    fence = models.BigIntegerField(default=0)
    venue_expires_at = models.DateTimeField(null=True, help_text="After this the venue drops it.")
    denied_at = models.DateTimeField(
        null=True, help_text="When the venue first said, after that time, that it never heard of it."
    )
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    acknowledged_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    updated_at = models.DateTimeField()

    class Meta:
        """Partial indexes carry the name of the query that needs them."""

        indexes = [
            models.Index(  # orders.services.claim, the sweeper
                fields=["account", "created_at"],
                condition=Q(status=OrderStatus.APPROVED),
                name="order_to_claim",
            ),
            models.Index(  # the watch over orders whose trigger is ours to see
                fields=["account"], condition=Q(status=OrderStatus.HELD), name="order_held"
            ),
            models.Index(  # brackets whose fills are not protected yet
                fields=["account"],
                condition=Q(filled_quantity__gt=F("covered_quantity"))
                & (Q(stop_price__isnull=False) | Q(take_profit_price__isnull=False)),
                name="order_uncovered",
            ),
            models.Index(  # stops and take-profits that were lost
                fields=["account", "closed_at"],
                condition=Q(
                    purpose=Purpose.PROTECTIVE,
                    status__in=[OrderStatus.EXPIRED, OrderStatus.REJECTED, OrderStatus.CANCELLED],
                ),
                name="order_lost",
            ),
            models.Index(fields=["parent"], condition=Q(parent__isnull=False), name="order_children"),
            models.Index(  # the planner's and the halt's non-final orders
                fields=["account", "strategy", "instrument"],
                condition=Q(status__in=sorted(NON_FINAL)),
                name="order_non_final",
            ),
            models.Index(  # what ended orders still hold; recomputing exposure
                fields=["account"], condition=Q(reserved__gt=0), name="order_holds_exposure"
            ),
            models.Index(  # reconciliation: fills we have not seen
                fields=["account"], condition=Q(venue_filled__gt=F("filled_quantity")), name="order_lacks_fills"
            ),
            models.Index(fields=["account", "venue_order_id"], name="order_by_venue_id"),
            # The breakers' look back over the latest orders; its upkeep costs next to nothing.
            BrinIndex(fields=["created_at"], name="order_by_time", autosummarize=True),
            models.Index(fields=["strategy", "-created_at"], name="order_latest_of_strategy"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(quantity__gt=0), name="order_quantity_positive"),
            models.CheckConstraint(condition=Q(price__gt=0), name="order_price_positive"),
            models.CheckConstraint(
                condition=Q(filled_quantity__gte=0, reserved__gte=0), name="order_sums_not_negative"
            ),
            models.CheckConstraint(condition=Q(status__in=[s.value for s in OrderStatus]), name="order_status_known"),
        ]

    def __str__(self) -> str:
        """Return side, size, instrument and status."""
        return f"{self.side} {self.quantity:f} {self.instrument_id} {self.status}"


class CommandKind(models.TextChoices):
    """What may be asked of a resting order."""

    CANCEL = "cancel"
    AMEND = "amend"


class CommandStatus(models.TextChoices):
    """Where a command stands. DROPPED: overtaken by fills or by the order's end."""

    APPROVED = "approved"
    SENDING = "sending"
    DONE = "done"
    DROPPED = "dropped"
    FAILED = "failed"
    UNKNOWN = "unknown"


class OrderCommand(models.Model):
    """A cancel or an amend: a row of its own, claimed like an order, safe to see twice.

    An amend names the `remaining` quantity and the `filled_when_planned` it was planned on.
    """

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="commands")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="commands")
    kind = models.CharField(max_length=6, choices=CommandKind)
    tick_id = models.CharField(max_length=100)
    remaining = AmountField(null=True)
    price = AmountField(null=True)
    filled_when_planned = AmountField(null=True)
    status = models.CharField(max_length=8, choices=CommandStatus, default=CommandStatus.APPROVED)
    reason = models.CharField(max_length=300, blank=True)
    valid_until = models.DateTimeField()
    claimed_by = models.CharField(max_length=100, blank=True)
    claimed_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)

    class Meta:
        """One command of a kind in flight per order: a second wish of the same kind is the same."""

        indexes = [
            models.Index(
                fields=["account", "created_at"],
                condition=Q(status="approved"),
                name="command_to_claim",
            )
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["order", "kind"],
                condition=Q(status__in=["approved", "sending", "unknown"]),
                name="command_once_in_flight",
            ),
            models.CheckConstraint(
                condition=Q(kind="cancel") | Q(remaining__gt=0, price__gt=0),
                name="amend_names_its_numbers",
            ),
        ]

    def __str__(self) -> str:
        """Return kind, order and status."""
        return f"{self.kind} order {self.order_id} {self.status}"


class OrderEvent(models.Model):
    """One step in an order's life. Append only."""

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="events")
    at = models.DateTimeField()
    source = models.CharField(max_length=20)
    status_from = models.CharField(max_length=16, blank=True)
    status_to = models.CharField(max_length=16)
    time_exchange = models.DateTimeField(null=True)
    detail = models.CharField(max_length=300, blank=True)

    class Meta:
        """In the order things happened."""

        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(status_from=F("status_to")) | Q(detail__gt=""),
                name="event_says_something",
            )
        ]
        indexes = [
            # The breakers' question for orders whose fate was not known for a while.
            models.Index(fields=["at"], condition=Q(status_to=OrderStatus.UNKNOWN), name="event_unknown")
        ]

    def __str__(self) -> str:
        """Return the step."""
        return f"{self.status_from or '-'} -> {self.status_to} ({self.source})"


class VenueOrderAlias(models.Model):
    """An id the venue used for an order before an amend replaced it; late fills still name it."""

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="aliases")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="aliases")
    venue_order_id = models.CharField(max_length=64)

    class Meta:
        """A venue's id means one order for ever."""

        constraints = [models.UniqueConstraint(fields=["account", "venue_order_id"], name="alias_means_one_order")]

    def __str__(self) -> str:
        """Return the old id."""
        return self.venue_order_id
