"""How Binance refuses: codes, sentences and HTTP statuses.

https://developers.binance.com/docs/derivatives/usds-margined-futures/error-code
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from apps.exchanges.mock.engine.api import InstrumentSpec, RejectCode, Rejected
from apps.exchanges.mock.wire.port import Json


class RefusedError(Exception):
    """The request is refused with the venue's `code` and sentence; `status` is HTTP's."""

    def __init__(self, code: int, message: str, status: int = 400) -> None:
        """Keep all three."""
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.status = code, message, status

    def body(self) -> Json:
        """Return the venue's error body."""
        return {"code": self.code, "msg": self.message}


NO_SUCH_KEY = (-2015, "Invalid API-key, IP, or permissions for action.", 401)
BAD_KEY_FORMAT = (-2014, "API-key format invalid.", 401)
BAD_SIGNATURE = (-1022, "Signature for this request is not valid.")
OUTSIDE_WINDOW = (-1021, "Timestamp for this request is outside of the recvWindow.")
AHEAD = (-1021, "Timestamp for this request was 1000ms ahead of the server's time.")
BAD_SYMBOL = (-1121, "Invalid symbol.")
NO_SUCH_ORDER = (-2013, "Order does not exist.")
CANCEL_UNKNOWN = (-2011, "Unknown order sent.")
DUPLICATE = (-4116, "ClientOrderId is duplicated.")
NO_LISTEN_KEY = (-1125, "This listenKey does not exist.")
IMMEDIATELY_TRIGGERED = (-2021, "Order would immediately trigger.")
NOT_HERE = (-4120, "Order type not supported for this endpoint. Please use the Algo Order API endpoints instead.")
NOTHING_TO_MODIFY = (-5027, "No need to modify the order.")
BAD_PRECISION = (-1111, "Precision is over the maximum defined for this asset.")
MARGIN_TYPE_SAME = (-4046, "No need to change margin type.")
ORDERS_KEEP_MARGIN_TYPE = (-4047, "Margin type cannot be changed if there exists open orders.")
SIDES_SAME = (-4059, "No need to change position side.")
TOO_MANY_TRIGGERS = (-4045, "Reach max stop order limit.")
BAD_BATCH = (-4082, "Invalid number of batch place orders.")
_UNKNOWN = (-1000, "An unknown error occurred while processing the request.")

_BY_CODE: Mapping[RejectCode, tuple[int, str]] = MappingProxyType(
    {
        RejectCode.UNKNOWN_COIN: BAD_SYMBOL,
        RejectCode.ZERO_SIZE: (-4003, "Quantity less than or equal to zero."),
        RejectCode.INVALID_SIZE: BAD_PRECISION,
        RejectCode.TICK: (-4014, "Price not increased by tick size."),
        RejectCode.PRICE_TOO_FAR: (-4016, "Limit price can't be higher than the price filter allows."),
        RejectCode.INSUFFICIENT_MARGIN: (-2019, "Margin is insufficient."),
        RejectCode.REDUCE_ONLY: (-2022, "ReduceOnly Order is rejected."),
        RejectCode.BAD_ALO_PRICE: (
            -5022,
            (
                "Due to the order could not be executed as maker, the Post Only order will be rejected. "
                "The order will not be recorded in the order history"
            ),
        ),
        RejectCode.DUPLICATE_CLOID: DUPLICATE,
        RejectCode.TOO_MANY_OPEN_ORDERS: (-2025, "Reach max open order limit."),
        RejectCode.UNKNOWN_ORDER: NO_SUCH_ORDER,
        RejectCode.CANNOT_MODIFY: NO_SUCH_ORDER,
        RejectCode.BAD_TRIGGER_PRICE: IMMEDIATELY_TRIGGERED,
        RejectCode.MARGIN_MODE_LOCKED: (-4048, "Margin type cannot be changed if there exists position."),
        RejectCode.NO_ISOLATED_POSITION: (-4054, "Cannot add position margin: position is 0."),
    }
)


def refusal(rejected: Rejected, spec: InstrumentSpec | None = None) -> RefusedError:
    """Return the venue's word for what the engine refused."""
    if rejected.code is RejectCode.MIN_NOTIONAL and spec is not None:
        return too_small(spec)
    if rejected.code is RejectCode.INVALID_LEVERAGE:
        return RefusedError(-4028, rejected.detail or "Leverage is not valid")
    return RefusedError(*_BY_CODE.get(rejected.code, _UNKNOWN))


def too_small(spec: InstrumentSpec) -> RefusedError:
    """Return the refusal of an order below the minimum notional."""
    least = f"{spec.min_notional:f}"
    return RefusedError(-4164, f"Order's notional must be no smaller than {least} (unless you choose reduce only).")
