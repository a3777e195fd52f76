"""Bybit's texts as values: numbers without tricks, names, sides. Each raises InvalidValue for what it does not know."""

from __future__ import annotations

import re
from decimal import Decimal
from uuid import UUID

from apps.exchanges.venues.bybit.config import QUOTE_CURRENCY
from moondev.domain.errors import InvalidValue
from moondev.domain.values import Money, Side

# Python reads more as a number than a venue may say: underscores, blanks, other scripts' digits, "NaN", "1E+99".
_NUMBER = re.compile(r"-?[0-9]{1,24}(?:\.[0-9]{0,24})?")
_SIDES = {"Buy": Side.BUY, "Sell": Side.SELL}
_USDC_CONTRACT = "PERP"


def number(field: str, text: str) -> Decimal:
    """Return a number that the venue wrote as text."""
    if _NUMBER.fullmatch(text) is None:
        raise InvalidValue(field, text, "a plain decimal number")
    return Decimal(text)


def optional_number(field: str, text: str) -> Decimal | None:
    """Return a number; None for an empty text and for zero, which both mean that there is none."""
    return (number(field, text) or None) if text else None


def money(field: str, text: str, currency: str = QUOTE_CURRENCY) -> Money:
    """Return an amount."""
    return Money(number(field, text), currency)


def side(word: str) -> Side:
    """Return the side of an order or fill."""
    found = _SIDES.get(word)
    if found is None:
        raise InvalidValue("side", word, "Buy or Sell")
    return found


def side_word(side: Side) -> str:
    """Return the venue's word for a side."""
    return "Buy" if side is Side.BUY else "Sell"


def client_order_id(text: str) -> UUID | None:
    """Return our client order id in an `orderLinkId`; None for one that somebody else gave, and for none."""
    try:
        name = UUID(text)
    except ValueError:
        return None
    return name if str(name) == text else None


def quote_of(symbol: str) -> str:
    """Return the currency in which a linear contract counts fees and profit: the streams tell of all of them."""
    if symbol.endswith(QUOTE_CURRENCY):
        return QUOTE_CURRENCY
    if symbol.endswith(_USDC_CONTRACT) or "USDC" in symbol:
        return "USDC"
    raise InvalidValue("symbol", symbol, f"a contract settled in {QUOTE_CURRENCY} or USDC")


def require_one_way(position_index: int) -> None:
    """Refuse the sides of hedge mode: two positions in one instrument would pass for one."""
    if position_index != 0:
        raise InvalidValue("positionIdx", position_index, "0, one-way mode")
