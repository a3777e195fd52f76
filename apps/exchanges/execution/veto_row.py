"""The row of one veto: whose turn it is to carry it out, and how far that has got."""

from __future__ import annotations

from collections.abc import Container
from datetime import datetime

from django.db.models import Q, QuerySet

from apps.exchanges.execution.hands import Hands
from apps.exchanges.execution.timing import FORESIGHT, LEASE_SECONDS
from apps.exchanges.models import Veto

# Enough to name every position that is not flat.
DETAIL_CHARACTERS = 10_000


class VetoRow:
    """A veto as one worker writes it; nothing is written once the row is another's."""

    def __init__(self, veto: Veto, hands: Hands) -> None:
        self.veto, self._hands = veto, hands

    def lease(self) -> bool:
        """Take or prolong the lease; return whether the row is ours."""
        now = self._hands.clock.now()
        mine = Q(worker=self._hands.worker)
        rows = Veto.objects.filter(_free(now, self._hands) | mine, pk=self.veto.pk, done_at__isnull=True)
        return rows.update(worker=self._hands.worker, worker_until=now + self._hands.lasting(LEASE_SECONDS)) == 1

    def give_back(self) -> None:
        """End the lease, if it is ours."""
        self._mine().update(worker="", worker_until=None)

    def write(self, **fields: str | datetime | Veto.Stage) -> None:
        """Write progress; what stands there already is not written again."""
        news = {name: value for name, value in fields.items() if getattr(self.veto, name) != value}
        if not news:
            return
        for name, value in news.items():
            setattr(self.veto, name, value)
        self._mine().update(**news)

    def tell(self, detail: str) -> None:
        """Write why the halt is not done, or what it had to leave."""
        self.write(detail=detail[:DETAIL_CHARACTERS])

    def _mine(self) -> QuerySet[Veto]:
        return Veto.objects.filter(pk=self.veto.pk, worker=self._hands.worker)


def free_rows(venue: str, hands: Hands, in_hand: Container[int]) -> list[VetoRow]:
    """Return the open vetoes of a venue that nobody works on, newest first, but for those `in_hand`."""
    free = Q(worker=hands.worker) | _free(hands.clock.now(), hands)
    rows = Veto.objects.filter(free, venue_id=venue, done_at__isnull=True).order_by("-engaged_at", "-pk")
    return [VetoRow(veto, hands) for veto in rows if veto.pk not in in_hand]


def _free(now: datetime, hands: Hands) -> Q:
    """Return what nobody works on.

    A lease that ends far later than one taken now was taken before a clock went back; waiting for its end would keep
    the halt from being carried out for as long as the clock was off.
    """
    longest = now + FORESIGHT * hands.lasting(LEASE_SECONDS)
    return Q(worker_until__isnull=True) | Q(worker_until__lte=now) | Q(worker_until__gt=longest)
