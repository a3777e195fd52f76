"""Short numbers that stand for client order ids at venues that keep no more than 32 bits of one."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from apps.exchanges.models.accounts import Account

LARGEST = 2**32 - 1


class ShortIdSequence(models.Model):
    """How far an account's numbers have been drawn. One row per account; the numbers never come again."""

    account = models.OneToOneField(Account, on_delete=models.PROTECT, primary_key=True, related_name="short_ids_drawn")
    last = models.BigIntegerField()

    class Meta:
        """No number is wider than the venue's field."""

        constraints = [models.CheckConstraint(condition=Q(last__gte=0, last__lte=LARGEST), name="short_id_32_bits")]

    def __str__(self) -> str:
        """Return the account and its last number."""
        return f"{self.account_id} up to {self.last}"


class ShortId(models.Model):
    """One number and the client order id it stands for. Written before the number is used, never changed."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="short_ids")
    number = models.BigIntegerField()
    client_order_id = models.UUIDField()

    class Meta:
        """Found both ways, within an account."""

        constraints = [
            models.UniqueConstraint(fields=["account", "number"], name="short_id_once"),
            models.UniqueConstraint(fields=["account", "client_order_id"], name="client_order_id_one_number"),
        ]

    def __str__(self) -> str:
        """Return number and id."""
        return f"{self.number} is {self.client_order_id}"
