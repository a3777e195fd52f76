"""Read orders, cancels and modifies off the wire. What does not fit raises MalformedError (HTTP 422)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import TypeVar

from apps.exchanges.mock.engine.api import Grouping, NewOrder, Tif, TpSl, Trigger
from apps.exchanges.mock.wire.hyperliquid.numbers import read_decimal
from apps.exchanges.mock.wire.hyperliquid.views import Json

_CLOID = re.compile(r"0x[0-9a-fA-F]{32}")
# Fill-or-kill is other venues'.
_TIFS: Mapping[str, Tif] = {tif.value: tif for tif in Tif if tif is not Tif.FOK}
_T = TypeVar("_T")


class MalformedError(ValueError):
    """Say which part of a request has the wrong shape; the venue answers with HTTP 422."""


def json_object(raw: object) -> Json:
    """Return `raw`, which must be a JSON object. Raises MalformedError."""
    if not isinstance(raw, dict):
        raise MalformedError(f"expected an object, got {raw!r}")
    return raw


def field(raw: Json, name: str, kind: type[_T]) -> _T:
    """Return `raw[name]`, which must be a `kind` (a bool is not an int). Raises MalformedError."""
    value = raw.get(name)
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise MalformedError(f"{name} must be {kind.__name__}, got {value!r}")
    return value


def optional(raw: Json, name: str, kind: type[_T]) -> _T | None:
    """Return `raw[name]`, or None when it is absent or null. Raises MalformedError."""
    return None if raw.get(name) is None else field(raw, name, kind)


def coin_of(coins: Mapping[int, str], asset: int) -> str:
    """Return the coin of an asset id, or a name no instrument has, which the engine refuses."""
    return coins.get(asset, f"@unknown:{asset}")


def read_cloid(raw: object) -> str:
    """Return a client order id: 0x and 32 hex digits. Raises MalformedError."""
    if not isinstance(raw, str) or not _CLOID.fullmatch(raw):
        raise MalformedError(f"cloid must be 0x and 32 hex digits, got {raw!r}")
    return raw.lower()


def read_order(raw: object, coins: Mapping[int, str]) -> NewOrder:
    """Return the order in its wire form `{a, b, p, s, r, t, c?}`. Raises MalformedError."""
    order = json_object(raw)
    tif, trigger = _read_type(order.get("t"))
    return NewOrder(
        coin=coin_of(coins, field(order, "a", int)),
        is_buy=field(order, "b", bool),
        size=_decimal("s", order.get("s")),
        price=_decimal("p", order.get("p")),
        tif=tif,
        reduce_only=field(order, "r", bool),
        trigger=trigger,
        cloid=None if order.get("c") is None else read_cloid(order["c"]),
    )


def read_grouping(raw: object) -> Grouping:
    """Return the grouping; `{p: n}` (a priority bid) groups nothing. Raises MalformedError."""
    if isinstance(raw, dict):
        field(raw, "p", int)
        return Grouping.NA
    try:
        return Grouping(str(raw))
    except ValueError as error:
        raise MalformedError(f"grouping must be na, normalTpsl or positionTpsl, got {raw!r}") from error


def read_order_id(raw: object) -> int | str:
    """Return an oid (int) or a cloid (str). Raises MalformedError."""
    if isinstance(raw, int) and not isinstance(raw, bool):
        return raw
    return read_cloid(raw)


def _read_type(raw: object) -> tuple[Tif, Trigger | None]:
    if isinstance(raw, dict) and len(raw) == 1:
        if "limit" in raw:
            tif = _TIFS.get(field(json_object(raw["limit"]), "tif", str))
            if tif is not None:
                return tif, None
        if "trigger" in raw:
            return Tif.GTC, _read_trigger(json_object(raw["trigger"]))
    raise MalformedError(f"t must be a limit with tif or a trigger, got {raw!r}")


def _read_trigger(raw: Json) -> Trigger:
    side = field(raw, "tpsl", str)
    if side not in {"tp", "sl"}:
        raise MalformedError(f"tpsl must be tp or sl, got {side!r}")
    return Trigger(field(raw, "isMarket", bool), _decimal("triggerPx", raw.get("triggerPx")), TpSl(side))


def _decimal(name: str, raw: object) -> Decimal:
    try:
        return read_decimal(name, raw)
    except ValueError as error:
        raise MalformedError(str(error)) from error
