"""Orders as they are listed, and one of them with its whole life."""

from __future__ import annotations

import orjson
from fastapi import Response

from apps.exchanges.bulk import fetch
from apps.monitor.api.accounts.lines import FILLS, about, joins, owned
from apps.monitor.api.lines import Lines, columns, moment
from apps.monitor.api.orders.life import stages_ms
from apps.monitor.api.orders.schemas import OrderFilter
from apps.strategies.by_hand.placing import BY_HAND, SOURCE
from moondev.domain.orders import FINAL, NON_FINAL

# The average to as many places as amounts are kept with.
_TOLD = f"o.id, {owned('o')}, trim_scale(round(o.filled_notional / nullif(o.filled_quantity, 0), 12))::text " + (
    "AS average_price, "
    + columns(
        "o",
        (
            "client_order_id", "venue_order_id", "side", "order_type", "time_in_force", "purpose", "status", "reason",
            "refusal_code", "tick_id",
        ),
        ("quantity", "price", "trigger_price", "filled_quantity"),
        ("created_at", "sent_at", "acknowledged_at", "closed_at"),
    )
)  # fmt: skip
ORDERS = Lines(_TOLD, "exchanges_order o", joins("o"))

_STEP = (
    f"json_build_object('at', {moment('e.at')}, 'ms', (extract(epoch FROM e.at - o.created_at) * 1000)::float8,"
    " 'source', e.source, 'status_from', e.status_from, 'status_to', e.status_to, 'detail', e.detail) ORDER BY e.id"
)
_STEPS = f"SELECT coalesce(json_agg({_STEP}), '[]') FROM exchanges_orderevent e WHERE e.order_id = o.id"  # noqa: S608  our own words
_FILLS = (
    "SELECT coalesce(json_agg(fill ORDER BY fill.id), '[]') FROM"  # noqa: S608  our own words
    f" (SELECT {FILLS.columns} FROM {FILLS.table} {FILLS.joins} WHERE f.order_id = o.id) AS fill"
)
_MORE = columns("o", ("refusal_limit", "refusal_value"), ("arrival_price",))
# Who placed it by hand, and why, stands beside the orders: written at the same moment.
_HAND = (
    "SELECT message FROM strategies_strategyevent v WHERE o.tick_id = %(source)s AND v.strategy = o.strategy"
    " AND v.at = o.created_at AND v.kind = %(kind)s LIMIT 1"
)
_PARTS = f"coalesce(({_HAND}), '') AS by_hand, ({_STEPS}) AS steps, ({_FILLS}) AS fills"
_WHOLE = f"SELECT {_TOLD}, {_MORE}, {_PARTS} FROM exchanges_order o {joins('o')}"  # noqa: S608  our own words
# The id of its tick is text: orders by hand have others. The moments are for `life`, in its order.
_ONE = f"""
    SELECT (SELECT row_to_json(line)::text FROM ({_WHOLE} WHERE o.id = %(id)s) AS line),
        t.due_at, t.started_at, o.created_at, o.sent_at, o.acknowledged_at,
        (SELECT min(time_received) FROM exchanges_fill WHERE order_id = o.id), o.closed_at
    FROM exchanges_order o LEFT JOIN strategies_tick t
        ON t.id = CASE WHEN o.tick_id ~ '^[0-9]{{1,18}}$' THEN o.tick_id::bigint END
    WHERE o.id = %(id)s"""  # noqa: S608  our own words


def orders_page(asked: OrderFilter) -> Response:
    """Return a page of orders, newest first."""
    chosen = _chosen(asked)
    if asked.strategy is None:
        chosen = chosen if asked.before is None else chosen.where("id < %s", asked.before)
        return chosen.page("o.id DESC", asked.limit)
    if asked.before is not None:
        # By the index on a strategy's latest orders, which one of few orders needs among a million of others.
        begun = "SELECT coalesce(max(created_at), 'infinity') FROM exchanges_order WHERE id = %s"
        chosen = chosen.where(f"(o.created_at, o.id) < (({begun}), %s)", asked.before, asked.before)
    return chosen.page("o.created_at DESC, o.id DESC", asked.limit)


def order_whole(order_id: int) -> bytes | None:
    """Return one order as JSON, with its steps, its fills and how long each stage took; None when there is none."""
    found = fetch(_ONE, {"id": order_id, "source": SOURCE, "kind": BY_HAND})
    if not found:
        return None
    ((text, *moments),) = found
    return orjson.dumps({**orjson.loads(text), "stages_ms": stages_ms(moments)})


def _chosen(asked: OrderFilter) -> Lines:
    chosen = about(ORDERS, account=asked.account, strategy=asked.strategy, instrument=asked.instrument)
    chosen = chosen.where_given(status=asked.status)
    for condition, at in (("created_at >= %s", asked.since), ("created_at < %s", asked.until)):
        chosen = chosen if at is None else chosen.where(condition, at)
    if asked.live is not None:
        chosen = chosen.where("status = ANY(%s)", sorted(NON_FINAL if asked.live else FINAL))
    return chosen
