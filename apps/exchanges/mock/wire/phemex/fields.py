"""Reading the fields of a request, in a query or in a JSON body; what is missing or odd is refused by name."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from apps.exchanges.mock.wire.phemex.refusals import ARGUMENTS, NOT_LISTED, SYSTEM, RefusedError
from apps.exchanges.mock.wire.phemex.words import QUOTE
from apps.exchanges.mock.wire.port import Json


def text(fields: Json, name: str) -> str:
    """Return a field that must be there and must not be empty."""
    value = optional_text(fields, name)
    if not value:
        raise RefusedError(SYSTEM, f"Missing required parameter {name}")
    return value


def optional_text(fields: Json, name: str) -> str:
    """Return a field as text; empty when it is absent."""
    value = fields.get(name)
    if value is None:
        return ""
    if isinstance(value, dict | list):
        raise _odd(name)
    return str(value)


def amount(fields: Json, name: str) -> Decimal | None:
    """Return a number above zero; None when it is absent, empty or zero, which here means the same."""
    raw = optional_text(fields, name)
    if not raw:
        return None
    try:
        value = Decimal(raw)
    except InvalidOperation:
        raise _odd(name) from None
    if not value.is_finite() or value < 0:
        raise _odd(name)
    return value or None


def signed(fields: Json, name: str) -> Decimal:
    """Return a number that may be below zero and must not be it."""
    try:
        value = Decimal(text(fields, name))
    except InvalidOperation:
        raise _odd(name) from None
    if not value.is_finite() or not value:
        raise _odd(name)
    return value


def whole(fields: Json, name: str, default: int, largest: int | None = None) -> int:
    """Return a whole number of zero or more, at most `largest`."""
    raw = optional_text(fields, name)
    if not raw:
        return default
    if not raw.isdecimal():
        raise _odd(name)
    return int(raw) if largest is None else min(int(raw), largest)


def flag(fields: Json, name: str) -> bool:
    """Return a truth value, false when absent."""
    raw = optional_text(fields, name).lower()
    if raw not in {"", "true", "false"}:
        raise _odd(name)
    return raw == "true"


def coin_of(fields: Json, coins: frozenset[str]) -> str:
    """Return the engine's name of the instrument a request is about."""
    return coin_named(text(fields, "symbol"), coins)


def coin_named(symbol: str, coins: frozenset[str]) -> str:
    """Return the engine's name of the instrument called `symbol`."""
    coin = symbol.removesuffix(QUOTE)
    if coin == symbol or coin not in coins:
        raise RefusedError(NOT_LISTED, f"Symbol not listed {symbol}")
    return coin


def _odd(name: str) -> RefusedError:
    return RefusedError(ARGUMENTS, f"Please double check input arguments: {name}")
