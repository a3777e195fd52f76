"""Which accounts have to be looked after: disabling one stops its orders, not what lives and is held there."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q, QuerySet

from apps.exchanges.models import Account, Order, Position
from moondev.domain.orders import NON_FINAL


def watched_accounts() -> QuerySet[Account]:
    """Return accounts that are enabled, and those that are not but still have a live order or a position."""
    live = Order.objects.filter(account=OuterRef("pk"), status__in=sorted(NON_FINAL))
    held = Position.objects.filter(account=OuterRef("pk")).exclude(quantity=0)
    return Account.objects.filter(Q(enabled=True) | Exists(live) | Exists(held))
