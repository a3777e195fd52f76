"""How Bybit says no: HTTP 200 with a code. https://bybit-exchange.github.io/docs/v5/error"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from apps.exchanges.mock.engine.api import RejectCode, Rejected
from apps.exchanges.mock.wire.port import Json

PARAMETER, TIMESTAMP, UNKNOWN_KEY, BAD_SIGNATURE, TOO_MANY = 10001, 10002, 10003, 10004, 10006
TOO_MANY_VISITS = "Too many visits. Exceeded the API Rate Limit."
MARGIN_MODE_FAILED = 3400045
NO_ORDER, NOT_MODIFIED, POSITION_MODE_SAME, MARGIN_MODE_SAME = 110001, 110043, 110025, 110026
_EXPECTED_RISING, _EXPECTED_FALLING = 110092, 110093


class RefusedError(Exception):
    """The answer is a code and a sentence."""

    def __init__(self, code: int, message: str, result: Json | None = None) -> None:
        """Keep both, and what the answer has for a result."""
        super().__init__(f"{code} {message}")
        self.code, self.message, self.result = code, message, result or {}


_TABLE: Mapping[RejectCode, tuple[int, str]] = MappingProxyType(
    {
        RejectCode.UNKNOWN_COIN: (PARAMETER, "Not supported symbols"),
        RejectCode.ZERO_SIZE: (PARAMETER, "Qty invalid"),
        RejectCode.INVALID_SIZE: (PARAMETER, "Qty invalid"),
        RejectCode.TICK: (PARAMETER, "Price is not a multiple of the tick size"),
        RejectCode.MIN_NOTIONAL: (110094, "Order does not meet minimum order value"),
        RejectCode.PRICE_TOO_FAR: (110003, "Order price exceeds the allowable range."),
        RejectCode.INSUFFICIENT_MARGIN: (110007, "ab not enough for new order"),
        RejectCode.REDUCE_ONLY: (110017, "current position is zero, cannot fix reduce-only order qty"),
        RejectCode.DUPLICATE_CLOID: (110072, "OrderLinkedID is duplicate"),
        RejectCode.TOO_MANY_OPEN_ORDERS: (110020, "You can't query more than 500 active orders"),
        RejectCode.UNKNOWN_ORDER: (NO_ORDER, "order not exists or too late to cancel"),
        RejectCode.CANNOT_MODIFY: (NO_ORDER, "order not exists or too late to replace"),
        RejectCode.INVALID_LEVERAGE: (110013, "cannot set leverage gt maxLeverage by risk limit"),
        RejectCode.NO_ISOLATED_POSITION: (PARAMETER, "position margin can be changed in isolated mode only"),
    }
)


def refused(answer: Rejected, *, rising: bool | None = None) -> RefusedError:
    """Return the venue's words for a refusal of the engine; `rising` is the direction of the order's trigger."""
    if answer.code is RejectCode.BAD_TRIGGER_PRICE:
        if rising:
            return RefusedError(_EXPECTED_RISING, f"expect Rising, but trigger_price <= current: {answer.detail}")
        return RefusedError(_EXPECTED_FALLING, f"expect Falling, but trigger_price >= current: {answer.detail}")
    code, message = _TABLE.get(answer.code, (PARAMETER, answer.detail or answer.code.value))
    return RefusedError(code, message)
