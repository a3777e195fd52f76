"""How the spot market refuses: fewer codes than the futures', and the reason in the sentence.

https://developers.binance.com/docs/binance-spot-api-docs/errors
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from apps.exchanges.mock.engine.api import RejectCode, Rejected
from apps.exchanges.mock.wire.binance.refusals import CANCEL_UNKNOWN, NO_SUCH_ORDER, RefusedError
from apps.exchanges.mock.wire.port import Json

TICK = (-1013, "Filter failure: PRICE_FILTER")
LOT = (-1013, "Filter failure: LOT_SIZE")
NOTIONAL = (-1013, "Filter failure: NOTIONAL")
BAND = (-1013, "Filter failure: PERCENT_PRICE_BY_SIDE")
DUPLICATE = (-2010, "Duplicate order sent.")
BAD_ID = (-1100, "Illegal characters found in parameter 'newClientOrderId'; legal range is '^[a-zA-Z0-9-_]{1,36}$'.")
_UNKNOWN = (-1000, "An unknown error occurred while processing the request.")

_BY_CODE: Mapping[RejectCode, tuple[int, str]] = MappingProxyType(
    {
        RejectCode.ZERO_SIZE: LOT,
        RejectCode.INVALID_SIZE: LOT,
        RejectCode.TICK: TICK,
        RejectCode.MIN_NOTIONAL: NOTIONAL,
        RejectCode.PRICE_TOO_FAR: BAND,
        RejectCode.INSUFFICIENT_BALANCE: (-2010, "Account has insufficient balance for requested action."),
        RejectCode.BAD_ALO_PRICE: (-2010, "Order would immediately match and take."),
        RejectCode.BAD_TRIGGER_PRICE: (-2010, "Stop price would trigger immediately."),
        RejectCode.DUPLICATE_CLOID: DUPLICATE,
        RejectCode.TOO_MANY_OPEN_ORDERS: (-1013, "Filter failure: MAX_NUM_ORDERS"),
        RejectCode.UNKNOWN_ORDER: NO_SUCH_ORDER,
        RejectCode.CANNOT_MODIFY: CANCEL_UNKNOWN,
    }
)


class ReplaceRefusedError(RefusedError):
    """Cancelling and placing anew did not both succeed; `data` says which did."""

    def __init__(self, code: int, message: str, data: Json) -> None:
        """Keep what became of either half."""
        super().__init__(code, message, 409 if data["cancelResult"] == "SUCCESS" else 400)
        self.data = data

    def body(self) -> Json:
        """Return the venue's error body."""
        return {**super().body(), "data": self.data}


def refusal(rejected: Rejected) -> RefusedError:
    """Return the venue's word for what the engine refused."""
    return RefusedError(*_BY_CODE.get(rejected.code, _UNKNOWN))
