"""Reading the fields of a request; what is missing or odd is refused with code 10001, naming the field."""

from __future__ import annotations

import re
from decimal import Decimal

from apps.exchanges.mock.wire.bybit.refusals import PARAMETER, RefusedError
from apps.exchanges.mock.wire.bybit.words import CATEGORY, OTHER_CATEGORIES, QUOTE
from apps.exchanges.mock.wire.port import Json

# Longer ones, and larger exponents, cost more to calculate with than any order is worth.
_AMOUNT = re.compile(r"[0-9]{1,20}(?:\.[0-9]{0,20})?(?:[eE]-?[0-9]{1,2})?")
_WHOLE = re.compile(r"[0-9]{1,18}")


def is_whole(raw: str) -> bool:
    """Return whether a text is a whole number of a size that may be calculated with."""
    return _WHOLE.fullmatch(raw) is not None


def text(body: Json, name: str) -> str:
    """Return a field that must be there and must not be empty."""
    value = optional_text(body, name)
    if not value:
        raise RefusedError(PARAMETER, f"params error: {name} is required")
    return value


def optional_text(body: Json, name: str) -> str:
    """Return a field as text; empty when it is absent."""
    value = body.get(name, "")
    if value is None:
        return ""
    if isinstance(value, dict | list):
        raise RefusedError(PARAMETER, f"params error: {name} invalid")
    return str(value)


def amount(body: Json, name: str) -> Decimal | None:
    """Return a number above zero; None when it is absent, empty or zero, which here means the same."""
    raw = optional_text(body, name)
    if not raw:
        return None
    if _AMOUNT.fullmatch(raw) is None:
        raise RefusedError(PARAMETER, f"params error: {name} invalid")
    return Decimal(raw) or None


def whole(body: Json, name: str, default: int, largest: int | None = None) -> int:
    """Return a whole number of one or more, at most `largest`."""
    raw = optional_text(body, name)
    if not raw:
        return default
    if not is_whole(raw):
        raise RefusedError(PARAMETER, f"params error: {name} invalid")
    return int(raw) if largest is None else max(1, min(int(raw), largest))


def flag(body: Json, name: str) -> bool:
    """Return a truth value, false when absent."""
    value = body.get(name, False)
    if value not in (True, False, "true", "false", None, ""):
        raise RefusedError(PARAMETER, f"params error: {name} invalid")
    return value in (True, "true")


def require_linear(body: Json) -> None:
    """Refuse every category but linear, the one this venue trades."""
    category = text(body, "category")
    if category not in {CATEGORY, *OTHER_CATEGORIES}:
        raise RefusedError(PARAMETER, "params error: category invalid")
    if category != CATEGORY:
        raise RefusedError(PARAMETER, f"params error: category {category} is not available here")


def coin_of(body: Json, coins: frozenset[str]) -> str:
    """Return the engine's name of the instrument a request is about."""
    symbol = text(body, "symbol")
    coin = symbol.removesuffix(QUOTE)
    if coin == symbol or coin not in coins:
        raise RefusedError(PARAMETER, f"params error: symbol invalid {symbol}")
    return coin
