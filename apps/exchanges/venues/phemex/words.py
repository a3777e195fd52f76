"""Phemex's words and amounts as ours: what every reader of its rows needs. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import TypeVar
from uuid import UUID

import msgspec

from apps.exchanges.venues.phemex.config import QUOTE_CURRENCY
from apps.exchanges.venues.phemex.messages import Answer
from apps.exchanges.venues.rows import reading
from moondev.domain.clock import from_milliseconds
from moondev.domain.errors import InvalidValue
from moondev.domain.fills import FillKind, Liquidity
from moondev.domain.orders import OrderStatus
from moondev.domain.values import Money, Side, SignedQuantity, finite_decimal

T = TypeVar("T")

NS_PER_MS = 1_000_000
# The venue's own token, in which fees may be paid.
FEE_TOKEN = "PT"  # noqa: S105 - a currency
_UUID_CHARACTERS = 36
_FILL_WORDS = MappingProxyType({"TakerFill": Liquidity.TAKER, "MakerFill": Liquidity.MAKER})
_KINDS = MappingProxyType(
    {"Trade": FillKind.ORDER, "LiqTrade": FillKind.LIQUIDATION, "AdlTrade": FillKind.DELEVERAGING}
)
_STATUSES: Mapping[str, OrderStatus] = MappingProxyType(
    {
        "Init": OrderStatus.OPEN,
        "Created": OrderStatus.OPEN,
        "New": OrderStatus.OPEN,
        "Untriggered": OrderStatus.OPEN,
        "Triggered": OrderStatus.OPEN,
        "PartiallyFilled": OrderStatus.PARTIALLY_FILLED,
        "Filled": OrderStatus.FILLED,
        "Canceled": OrderStatus.CANCELLED,
        "Deactivated": OrderStatus.CANCELLED,
        "Suspended": OrderStatus.CANCELLED,
        "Rejected": OrderStatus.REJECTED,
    }
)


def data(what: str, text: str, shape: type[T]) -> T:
    """Return what an answer carries, checked against `shape`. Raises ParseError."""
    with reading(what, text):
        return msgspec.json.decode(text, type=Answer[shape]).data  # type: ignore[valid-type]  # a shape known at run time


def number(field: str, text: str) -> Decimal:
    """Return a number that the venue wrote as text. Raises InvalidValue."""
    # Python reads more as a number than any venue writes: other scripts' digits, blanks, and 1_0 for ten.
    if not text.isascii() or "_" in text or text != text.strip():
        raise InvalidValue(field, text, "a number")
    return finite_decimal(field, text)


def moment(nanoseconds: int | str) -> datetime:
    """Return the time of a stamp in nanoseconds, to the millisecond."""
    return from_milliseconds(int(nanoseconds) // NS_PER_MS)


def side(word: str) -> Side:
    """Return the side that the venue calls Buy or Sell."""
    return Side.BUY if word == "Buy" else Side.SELL


def client_order_id(text: str) -> UUID | None:
    """Return our client order id in `text`; None when the order carries none or somebody else's."""
    if len(text) != _UUID_CHARACTERS:
        return None
    try:
        name = UUID(text)
    except ValueError:
        return None
    # Only the form we write: another spelling of the same id is not how the venue knows the order.
    return name if str(name) == text else None


def status(word: str, filled: Decimal) -> OrderStatus:
    """Return an order's status. Raises InvalidValue for a word the venue does not document."""
    known = _STATUSES.get(word)
    if known is None:
        raise InvalidValue("ordStatus", word, ", ".join(_STATUSES))
    return OrderStatus.PARTIALLY_FILLED if known is OrderStatus.OPEN and filled else known


def require_usdt(currency: str) -> None:
    """Raise InvalidValue when an account is told in another currency than the one we asked about."""
    if currency != QUOTE_CURRENCY:
        raise InvalidValue("currency", currency, QUOTE_CURRENCY)


def fee(paid: str, in_token: str) -> Money:
    """Return a fee: in the quote currency, or in the venue's token when it was paid in that."""
    amount, token = number("execFeeRv", paid), number("ptFeeRv", in_token)
    return Money(token, FEE_TOKEN) if token and not amount else Money(amount, QUOTE_CURRENCY)


def fill_name(execution: str, word: str) -> str:
    """Return the name of a fill, unique even when both ends of a trade are ours. Raises InvalidValue without one."""
    if not execution:
        raise InvalidValue("execID", execution, "the venue's id of the execution")
    return f"{execution}-{word}"


def liquidity(word: str) -> Liquidity:
    """Return whether a fill took or made the market. Raises InvalidValue for another word."""
    known = _FILL_WORDS.get(word)
    if known is None:
        raise InvalidValue("execStatus", word, ", ".join(_FILL_WORDS))
    return known


def is_fill(word: str) -> bool:
    """Return whether an execution status is one of a fill."""
    return word in _FILL_WORDS


def fill_kind(word: str) -> FillKind:
    """Return why it traded. Raises InvalidValue for a word the venue does not document."""
    known = _KINDS.get(word)
    if known is None:
        raise InvalidValue("tradeType", word, ", ".join(_KINDS))
    return known


def signed_size(word: str, size: str) -> SignedQuantity:
    """Return a position's size with its sign."""
    return SignedQuantity(number("size", size) * (-1 if word == "Sell" else 1))


def money(amount: Decimal) -> Money:
    """Return an amount of the quote currency."""
    return Money(amount, QUOTE_CURRENCY)
