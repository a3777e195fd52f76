"""What the risk review answers: approval is a type, a refusal is data with a closed code."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Generic, TypeVar

from moondev.domain.orders import AmendOrder, OrderRequest, PlaceOrder

R = TypeVar("R", PlaceOrder, AmendOrder)


class RefusalCode(StrEnum):
    """Every reason for which an order is refused. Stable: operators and tests key on it."""

    TRADING_HALTED = "TRADING_HALTED"
    TRADING_REDUCING = "TRADING_REDUCING"
    STAGE_FORBIDS = "STAGE_FORBIDS"
    DATA_TOO_OLD = "DATA_TOO_OLD"
    DATA_MISSING = "DATA_MISSING"
    QUANTITY_BELOW_LOT = "QUANTITY_BELOW_LOT"
    QUANTITY_OFF_GRID = "QUANTITY_OFF_GRID"
    NOTIONAL_BELOW_MINIMUM = "NOTIONAL_BELOW_MINIMUM"
    NOTIONAL_EXCEEDS_MAXIMUM = "NOTIONAL_EXCEEDS_MAXIMUM"
    QUANTITY_EXCEEDS_MAXIMUM = "QUANTITY_EXCEEDS_MAXIMUM"
    PRICE_OUTSIDE_BAND = "PRICE_OUTSIDE_BAND"
    PRICE_OFF_GRID = "PRICE_OFF_GRID"
    ASSET_EXPOSURE_EXCEEDED = "ASSET_EXPOSURE_EXCEEDED"
    STRATEGIES_CORRELATED = "STRATEGIES_CORRELATED"
    ASSETS_CORRELATED = "ASSETS_CORRELATED"
    GROSS_EXPOSURE_EXCEEDED = "GROSS_EXPOSURE_EXCEEDED"
    NET_EXPOSURE_EXCEEDED = "NET_EXPOSURE_EXCEEDED"
    MARGIN_EXCEEDED = "MARGIN_EXCEEDED"
    OPEN_ORDERS_EXCEEDED = "OPEN_ORDERS_EXCEEDED"
    ORDER_RATE_EXCEEDED = "ORDER_RATE_EXCEEDED"
    HALF_OPEN_EXCEEDED = "HALF_OPEN_EXCEEDED"
    LEVERAGE_EXCEEDED = "LEVERAGE_EXCEEDED"
    STRATEGY_DRAWDOWN = "STRATEGY_DRAWDOWN"
    PORTFOLIO_DRAWDOWN = "PORTFOLIO_DRAWDOWN"
    DAY_LOSS_REACHED = "DAY_LOSS_REACHED"
    EDGE_BELOW_FEES = "EDGE_BELOW_FEES"
    REDUCING_EXCEEDS_POSITION = "REDUCING_EXCEEDS_POSITION"
    SELF_TRADE = "SELF_TRADE"
    LOAD_UNKNOWN = "LOAD_UNKNOWN"
    EQUITY_UNKNOWN = "EQUITY_UNKNOWN"
    LIMIT_MISSING = "LIMIT_MISSING"
    CUSTOM_RULE = "CUSTOM_RULE"
    CURRENCY_MISMATCH = "CURRENCY_MISMATCH"
    INSTRUMENT_UNKNOWN = "INSTRUMENT_UNKNOWN"
    ORDER_UNKNOWN = "ORDER_UNKNOWN"
    LEG_REFUSED = "LEG_REFUSED"
    CHECK_FAILED = "CHECK_FAILED"


@dataclass(frozen=True, slots=True)
class RiskApproved(Generic[R]):
    """A request that passed every check. Only the review and the claim may construct it."""

    request: R


@dataclass(frozen=True, slots=True)
class RiskRefused:
    """A request that did not pass: which rule, its limit and the value that broke it."""

    request: OrderRequest
    code: RefusalCode
    limit: Decimal | str
    value: Decimal | str

    def __str__(self) -> str:
        """Return the sentence operators see."""
        return f"{self.code}: value={self.value}, limit={self.limit}"
