"""Topic ``fills``: the latest trades of ours, the newest first by id."""

from __future__ import annotations

from decimal import Decimal

from django.db.models import F

from apps.exchanges.models import Fill
from apps.monitor.api.stream.sources.words import amount, milliseconds_between, moment
from apps.monitor.api.stream.table import Row, Rows
from moondev.domain.clock import Clock
from moondev.domain.values import Side

SHOWN = 100


def read_fills(_words: tuple[str, ...], _clock: Clock) -> Rows:
    """Return the latest fills by id; `slippage_bps` is against the mid when the order was planned, + is worse."""
    latest = (
        Fill.objects.annotate(
            code=F("account__code"),
            venue=F("account__venue_id"),
            symbol=F("instrument__symbol"),
            currency=F("account__currency"),
            arrival=F("order__arrival_price"),
        )
        .order_by("-pk")
        .only("side", "price", "quantity", "fee", "realised", "liquidity", "kind", "strategy", "time_exchange",
              "time_received", "order_id")[:SHOWN]
    )  # fmt: skip
    return {str(fill.pk): _row(fill) for fill in latest}


def _row(fill: Fill) -> Row:
    annotated = vars(fill)
    return {
        "at": moment(fill.time_exchange),
        "strategy": fill.strategy,
        "account": annotated["code"],
        "venue": annotated["venue"],
        "symbol": annotated["symbol"],
        "side": fill.side,
        "price": amount(fill.price),
        "quantity": amount(fill.quantity),
        "notional": amount(fill.price * fill.quantity),
        "fee": amount(fill.fee),
        "realised": amount(fill.realised),
        "currency": annotated["currency"],
        "liquidity": fill.liquidity,
        "kind": fill.kind,
        "order": None if fill.order_id is None else str(fill.order_id),
        "slippage_bps": _slippage(fill, annotated["arrival"]),
        "heard_ms": milliseconds_between(fill.time_exchange, fill.time_received),
    }


def _slippage(fill: Fill, arrival: Decimal | None) -> float | None:
    if not arrival:
        return None
    sign = 1 if fill.side == Side.BUY else -1
    return round(float(sign * (fill.price - arrival) / arrival * 10_000), 3)
