"""Tell an account's sender that there is work. Losing such a message costs half a second, never an order."""

from __future__ import annotations

from collections.abc import Iterable

from apps.exchanges.models import Account
from moondev.celery import wake


def wake_accounts(account_ids: Iterable[int]) -> None:
    """Publish one wake-up per account, once the open transaction has committed.

    A broker that is down is logged and forgiven: the sweeper finds the rows.
    """
    wanted = sorted(set(account_ids))
    if not wanted:
        return
    venues = Account.objects.filter(pk__in=wanted).order_by("pk").values_list("pk", "venue_id")
    for account_id, venue in venues:
        wake("exchanges.orders_send", account_id=account_id, venue=venue)
