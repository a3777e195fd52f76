"""Newborn orders: which columns they are given, and how they are written."""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType
from uuid import UUID

from apps.exchanges.bulk import Row, values_fetch

GIVEN_COLUMNS = (
    "account_id", "instrument_id", "strategy", "tick_id", "signal_id", "client_order_id", "side", "order_type",
    "time_in_force", "purpose", "quantity", "price", "trigger_price", "arrival_price", "status", "reserved",
    "refusal_code", "refusal_limit", "refusal_value", "reason", "valid_until", "created_at", "updated_at", "closed_at",
    "trail_bps", "stop_price", "take_profit_price", "parent_id",
)  # fmt: skip
# Of an order that is no part of a bracket and trails nothing.
PLAIN = MappingProxyType({"trail_bps": None, "stop_price": None, "take_profit_price": None, "parent_id": None})
# What only an order's later life writes, spelt once in the statement instead of in every row: a third less to send.
UNTOUCHED_COLUMNS = (
    "venue_order_id", "venue_status", "claimed_by", "triggered", "filled_quantity", "filled_notional", "venue_filled",
    "filled_before_amend", "fence", "covered_quantity",
)  # fmt: skip
_UNTOUCHED = "'', '', '', false, 0, 0, 0, 0, 0, 0"

_INSERT = (
    f"INSERT INTO exchanges_order ({', '.join(GIVEN_COLUMNS + UNTOUCHED_COLUMNS)}) VALUES %s"  # noqa: S608  columns of ours
    " ON CONFLICT (client_order_id) DO NOTHING RETURNING client_order_id, id"
)
_TEMPLATE = f"({', '.join(['%s'] * len(GIVEN_COLUMNS))}, {_UNTOUCHED})"


def rows_insert(rows: Sequence[Row]) -> dict[UUID, int]:
    """Insert orders, rows of `GIVEN_COLUMNS`, that are not there yet; return the new ones' ids by client order id."""
    return {row[0]: row[1] for row in values_fetch(_INSERT, rows, _TEMPLATE)}
