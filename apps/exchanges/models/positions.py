"""What moved money: fills, funding and transfers, and the positions they add up to."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from apps.exchanges.models.accounts import Account
from apps.exchanges.models.fields import AmountField
from apps.exchanges.models.orders import Order, choices
from apps.exchanges.models.venues import InstrumentRow
from moondev.domain.fills import FillKind, Liquidity
from moondev.domain.portfolio import Holding
from moondev.domain.values import Side

UNASSIGNED = "UNASSIGNED"


class Fill(models.Model):
    """One trade of ours. The venue's trade id makes it unique; `order` null is an orphan.

    `fee` is in the account's currency, positive when paid; `realised` is what our ledger booked; `slippage` what it
    cost against the price at which it was planned, empty when nobody planned it.
    """

    # The unique constraint below begins with the account and serves as its index.
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="fills", db_index=False)
    instrument = models.ForeignKey(InstrumentRow, on_delete=models.PROTECT, related_name="fills")
    order = models.ForeignKey(Order, on_delete=models.PROTECT, null=True, related_name="fills")
    strategy = models.CharField(max_length=64)
    venue_trade_id = models.CharField(max_length=64)
    venue_order_id = models.CharField(max_length=64, blank=True)
    client_order_id = models.UUIDField(null=True)
    side = models.CharField(max_length=4, choices=choices(Side))
    price = AmountField()
    quantity = AmountField()
    fee = AmountField()
    realised = AmountField(default=0)
    slippage = AmountField(null=True)
    liquidity = models.CharField(max_length=5, choices=choices(Liquidity))
    kind = models.CharField(max_length=12, choices=choices(FillKind))
    time_exchange = models.DateTimeField(db_index=True)
    time_received = models.DateTimeField()

    class Meta:
        """Booked once, whoever reports it and however often."""

        constraints = [
            models.UniqueConstraint(fields=["account", "venue_trade_id"], name="fill_booked_once"),
            models.CheckConstraint(condition=Q(quantity__gt=0, price__gt=0), name="fill_positive"),
        ]
        indexes = [
            models.Index(
                fields=["account", "venue_order_id"],
                condition=Q(order__isnull=True),
                name="fill_orphans",
            )
        ]

    def __str__(self) -> str:
        """Return side, size and price."""
        return f"{self.side} {self.quantity:f} @ {self.price:f}"


class Position(models.Model):
    """What one strategy holds of one instrument on one account. Written by the ledger only.

    `slippage` is that of all its fills together: a part of the profit of prices, kept beside it.
    """

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="positions")
    strategy = models.CharField(max_length=64)
    instrument = models.ForeignKey(InstrumentRow, on_delete=models.PROTECT, related_name="positions")
    quantity = AmountField(default=0)
    cost = AmountField(default=0)
    realised = AmountField(default=0)
    fees = AmountField(default=0)
    funding = AmountField(default=0)
    slippage = AmountField(default=0)
    opened_at = models.DateTimeField(
        null=True, help_text="When it was last flat, or on the other side; empty while flat."
    )
    updated_at = models.DateTimeField()

    class Meta:
        """One row per owner."""

        constraints = [
            models.UniqueConstraint(fields=["account", "strategy", "instrument"], name="position_once_per_owner")
        ]

    def __str__(self) -> str:
        """Return owner, size and instrument."""
        return f"{self.strategy} {self.quantity:f} {self.instrument_id}"

    def to_domain(self) -> Holding:
        """Return the value the planner and strategies work with."""
        return Holding(self.quantity, self.cost, self.realised, self.fees, self.funding)


class FundingPayment(models.Model):
    """Funding the venue booked; positive when received. Unique, so it is booked once."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="funding")
    instrument = models.ForeignKey(InstrumentRow, on_delete=models.PROTECT)
    paid_at = models.DateTimeField()
    amount = AmountField()
    position_quantity = AmountField()

    class Meta:
        """The venue pays an instrument once per moment."""

        constraints = [models.UniqueConstraint(fields=["account", "instrument", "paid_at"], name="funding_booked_once")]

    def __str__(self) -> str:
        """Return instrument and amount."""
        return f"{self.instrument_id} {self.amount:f}"


class FundingShare(models.Model):
    """What one owner's position got of a funding payment; the shares of a payment add up to it exactly."""

    payment = models.ForeignKey(FundingPayment, on_delete=models.PROTECT, related_name="shares")
    strategy = models.CharField(max_length=64)
    amount = AmountField()

    class Meta:
        """One share an owner."""

        constraints = [models.UniqueConstraint(fields=["payment", "strategy"], name="funding_shared_once")]

    def __str__(self) -> str:
        """Return owner and amount."""
        return f"{self.strategy} {self.amount:f}"


class PositionMove(models.Model):
    """A position that changed its owner without a trade, at its cost. Append only.

    `giver` is empty for what was there before our books began. Signed: below zero a short was handed over.
    """

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="moves")
    instrument = models.ForeignKey(InstrumentRow, on_delete=models.PROTECT)
    giver = models.CharField(max_length=64, blank=True)
    taker = models.CharField(max_length=64)
    quantity = AmountField()
    cost = AmountField()
    actor = models.CharField(max_length=150)
    at = models.DateTimeField()

    class Meta:
        """In the order of the moves."""

        ordering = ["id"]

    def __str__(self) -> str:
        """Return who gave what to whom."""
        return f"{self.giver or 'before'} -> {self.taker} {self.quantity:f} {self.instrument_id}"


class Transfer(models.Model):
    """A deposit (positive) or withdrawal (negative) of the account's currency."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="transfers")
    amount = AmountField()
    at = models.DateTimeField()
    reference = models.CharField(max_length=100)

    class Meta:
        """Booked once by its reference."""

        constraints = [models.UniqueConstraint(fields=["account", "reference"], name="transfer_booked_once")]

    def __str__(self) -> str:
        """Return amount and reference."""
        return f"{self.amount:f} {self.reference}"
