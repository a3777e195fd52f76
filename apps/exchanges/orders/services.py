"""The order desk: what the floors above and the processes of this floor may do with orders.

The way of an order: record -> claim -> (gate, send) -> apply what the venue says.
"""

from __future__ import annotations

from apps.exchanges.orders.apply import Applied, reports_apply
from apps.exchanges.orders.claim import Claim, ClaimedAmend, ClaimedCancel, ClaimedOrder, orders_claim
from apps.exchanges.orders.entries import CommandEntry, OrderEntry, Recorded
from apps.exchanges.orders.record import orders_record
from apps.exchanges.orders.wake import wake_accounts

__all__ = [
    "Applied",
    "Claim",
    "ClaimedAmend",
    "ClaimedCancel",
    "ClaimedOrder",
    "CommandEntry",
    "OrderEntry",
    "Recorded",
    "orders_claim",
    "orders_record",
    "reports_apply",
    "wake_accounts",
]
