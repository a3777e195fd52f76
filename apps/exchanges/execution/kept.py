"""What a veto that closes a part of each position leaves of it: settled at its first look, and kept in its row.

Whoever goes on after a crash closes down to the same size, so half of a position is never halved again.
"""

from __future__ import annotations

from decimal import Decimal

from django.db import transaction

from apps.exchanges.execution.veto_scope import Held
from apps.exchanges.models import InstrumentRow, Veto
from moondev.domain.values import ZERO


class Kept:
    """The sizes of one veto, by owner."""

    def __init__(self, veto: Veto) -> None:
        self._veto = veto

    def of(self, account_id: int, owner: Held, size: Decimal) -> Decimal:
        """Return how much stays of the `size` that is open for an owner; nothing when the veto flattens.

        That is less than he holds where another on the account holds the other side: what cancels out at the venue
        cannot be closed there, so it is no part of what is divided.
        """
        if not self._veto.keep_share:
            return ZERO
        name = f"{account_id}/{owner.strategy}/{owner.instrument_id}"
        sizes = self._veto.kept
        if name not in sizes:
            sizes = self._settle(name, owner, size)
        return Decimal(sizes[name])

    def _settle(self, name: str, owner: Held, size: Decimal) -> dict[str, str]:
        """Write down what stays of a position seen for the first time: what is closed is whole lots."""
        lot = InstrumentRow.objects.values_list("lot", flat=True).get(pk=owner.instrument_id)
        closed = (size * (1 - self._veto.keep_share)) // lot * lot
        with transaction.atomic():
            row = Veto.objects.select_for_update().get(pk=self._veto.pk)
            row.kept.setdefault(name, f"{(size - closed).normalize():f}")
            row.save(update_fields=["kept"])
        self._veto.kept = row.kept
        return dict(row.kept)
