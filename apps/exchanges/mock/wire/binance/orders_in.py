"""How orders are asked for: names, prices on the grid, lists of several."""

from __future__ import annotations

import re
import secrets
from decimal import Decimal

import orjson

from apps.exchanges.mock.engine.api import InstrumentSpec
from apps.exchanges.mock.wire.binance.fields import Params
from apps.exchanges.mock.wire.binance.refusals import BAD_BATCH, BAD_PRECISION, RefusedError
from apps.exchanges.mock.wire.binance.words import tick_of

MAX_PLACED = 5
_CLIENT_ID = re.compile(r"^[.A-Z:/a-z0-9_-]{1,36}$")


def client_id(params: Params, name: str) -> str:
    """Return the client order id that was sent, or one of the venue's making."""
    given = params.find(name)
    if given is None:
        return secrets.token_hex(11)
    if not _CLIENT_ID.match(given):
        raise RefusedError(-4115, "ClientOrderId is not valid.")
    return given


def require_one_way(params: Params) -> None:
    """Refuse an order of hedge mode: every account here is in one-way mode."""
    if params.find("positionSide") not in (None, "BOTH"):
        raise RefusedError(-4061, "Order's position side does not match user's setting.")


def require_grid(spec: InstrumentSpec, limit: Decimal) -> None:
    """Refuse a price that is not on the grid of the instrument."""
    tick = tick_of(spec)
    if limit <= 0:
        raise RefusedError(-4001, "Price less than or equal to zero.")
    if limit != limit.quantize(tick):
        raise RefusedError(*BAD_PRECISION)
    if limit % tick:
        raise RefusedError(-4014, "Price not increased by tick size.")


def list_in(params: Params, name: str) -> list[object]:
    """Return the JSON list in a parameter."""
    try:
        items = orjson.loads(params.text(name))
    except orjson.JSONDecodeError:
        items = None
    if not isinstance(items, list):
        raise RefusedError(-1130, f"Data sent for parameter '{name}' is not valid.")
    return items


def orders_in(params: Params) -> list[Params]:
    """Return the parameters of each order of a batch."""
    items = list_in(params, "batchOrders")
    if not 1 <= len(items) <= MAX_PLACED or not all(isinstance(item, dict) for item in items):
        raise RefusedError(*BAD_BATCH)
    return [
        Params({str(k): str(v).lower() if isinstance(v, bool) else str(v) for k, v in item.items()})
        for item in items
        if isinstance(item, dict)
    ]
