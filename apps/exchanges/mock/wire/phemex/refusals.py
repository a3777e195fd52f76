"""How Phemex says no: a code and a word, nearly always with HTTP 200. https://phemex-docs.github.io/#error-codes"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from apps.exchanges.mock.engine.api import RejectCode, Rejected

SYSTEM, ARGUMENTS, TOO_MANY, NOT_LISTED = 10500, 30000, 39995, 39997
NO_ORDER, NO_ORDER_ID, BAD_LEVERAGE, NOT_MODIFIED = 10002, 11111, 11004, 11065
TYPE_INVALID, TIF_INVALID, TRIGGER_INVALID, SIDE_INVALID = 11035, 11036, 11038, 11034
MARKET_DATA = 6001
_RISING, _FALLING = 11043, 11044
_WORDS: Mapping[int, str] = MappingProxyType(
    {
        NO_ORDER: "OM_ORDER_NOT_FOUND",
        NO_ORDER_ID: "TE_MISSING_ORDER_ID",
        BAD_LEVERAGE: "TE_INVALID_LEVERAGE",
        NOT_MODIFIED: "TE_ORD_REPLACE_NOT_MODIFIED",
        TYPE_INVALID: "TE_ORD_TYPE_INVALID",
        TIF_INVALID: "TE_TIME_IN_FORCE_INVALID",
        TRIGGER_INVALID: "TE_TRIGGER_INVALID",
        SIDE_INVALID: "TE_SIDE_INVALID",
        _RISING: "TE_RISING_TRIGGER_DIRECTLY",
        _FALLING: "TE_FALLING_TRIGGER_DIRECTLY",
        ARGUMENTS: "Please double check input arguments",
    }
)
_TABLE: Mapping[RejectCode, tuple[int, str]] = MappingProxyType(
    {
        RejectCode.UNKNOWN_COIN: (NOT_LISTED, "Symbol not listed"),
        RejectCode.ZERO_SIZE: (11058, "TE_QTY_TOO_SMALL"),
        RejectCode.INVALID_SIZE: (11058, "TE_QTY_TOO_SMALL"),
        RejectCode.MIN_NOTIONAL: (11115, "TE_ORDER_VALUE_TOO_SMALL"),
        RejectCode.TICK: (11055, "TE_PRICE_TOO_SMALL"),
        RejectCode.PRICE_TOO_FAR: (11053, "TE_PRICE_TOO_LARGE"),
        RejectCode.INSUFFICIENT_MARGIN: (11001, "TE_NO_ENOUGH_AVAILABLE_BALANCE"),
        RejectCode.REDUCE_ONLY: (11011, "TE_REDUCE_ONLY_ABORT"),
        RejectCode.DUPLICATE_CLOID: (11085, "TE_CL_ORD_ID_DUPLICATE"),
        RejectCode.TOO_MANY_OPEN_ORDERS: (11032, "TE_AO_NUM_EXCEEDS"),
        RejectCode.UNKNOWN_ORDER: (NO_ORDER, "OM_ORDER_NOT_FOUND"),
        RejectCode.CANNOT_MODIFY: (11066, "TE_ORD_STATUS_CANNOT_REPLACE"),
        RejectCode.INVALID_LEVERAGE: (BAD_LEVERAGE, "TE_INVALID_LEVERAGE"),
    }
)


class RefusedError(Exception):
    """The answer is a code and a sentence, sometimes with another HTTP status than 200."""

    def __init__(self, code: int, message: str = "", status: int = 200) -> None:
        """Keep all three; without a sentence it is the venue's word for the code."""
        self.code, self.message, self.status = code, message or _WORDS.get(code, str(code)), status
        super().__init__(f"{code} {self.message}")


def refused(answer: Rejected, *, rising: bool = False) -> RefusedError:
    """Return the venue's words for a refusal of the engine; `rising` is the direction of the order's trigger."""
    if answer.code is RejectCode.BAD_TRIGGER_PRICE:
        return RefusedError(_RISING if rising else _FALLING)
    code, message = _TABLE.get(answer.code, (ARGUMENTS, answer.detail or answer.code.value))
    return RefusedError(code, message)


def unsigned(message: str) -> RefusedError:
    """Return the refusal of a request that nobody can be held to."""
    return RefusedError(SYSTEM, message, 401)
