"""Which claimed orders the venue takes as they are, which wait with us, and which nobody can do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from apps.exchanges.capabilities import Capabilities, Support
from apps.exchanges.orders.claim import ClaimedAmend, ClaimedOrder
from moondev.domain.errors import InvalidValue


@dataclass(slots=True)
class Sorted:
    """Claimed orders by who does them; of those that nobody does, why."""

    native: list[ClaimedOrder] = field(default_factory=list)
    ours: list[ClaimedOrder] = field(default_factory=list)
    refused: list[tuple[ClaimedOrder, InvalidValue]] = field(default_factory=list)


def by_ability(orders: Iterable[ClaimedOrder], able: Capabilities) -> Sorted:
    """Sort `orders` by the venue's abilities. Orders whose trigger was ours and is reached are plain ones by now."""
    found = Sorted()
    for order in orders:
        request = order.approved.request
        if request.order_type.triggered and able.of(request.order_type) is Support.EMULATED:
            found.ours.append(order)
            continue
        try:
            able.require_order(request)
        except InvalidValue as error:
            found.refused.append((order, error))
        else:
            found.native.append(order)
    return found


def changes_in_place(amend: ClaimedAmend, able: Capabilities) -> bool:
    """Return whether the venue changes such an order by one request; else it is cancelled and planned anew."""
    support = able.trigger_amend if amend.amendment.order_type.triggered else able.amend
    return support is Support.NATIVE
