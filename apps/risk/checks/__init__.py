"""Every check of the review, in the order in which they are asked; the first breach decides."""

from apps.risk.checks.asset_correlation import ASSET_CORRELATION
from apps.risk.checks.asset_exposure import ASSET_EXPOSURE
from apps.risk.checks.candidate import Check
from apps.risk.checks.custom_rules import CUSTOM_RULES
from apps.risk.checks.data_age import DATA_AGE
from apps.risk.checks.day_loss import DAY_LOSS
from apps.risk.checks.drawdown import PORTFOLIO_DRAWDOWN, STRATEGY_DRAWDOWN
from apps.risk.checks.edge import EDGE
from apps.risk.checks.gross_exposure import GROSS_EXPOSURE
from apps.risk.checks.half_open import HALF_OPEN
from apps.risk.checks.leverage import LEVERAGE
from apps.risk.checks.margin import MARGIN
from apps.risk.checks.net_exposure import NET_EXPOSURE
from apps.risk.checks.open_orders import OPEN_ORDERS
from apps.risk.checks.order_notional import ORDER_NOTIONAL
from apps.risk.checks.order_rate import ORDER_RATE
from apps.risk.checks.order_size import ORDER_SIZE
from apps.risk.checks.price_band import PRICE_BAND
from apps.risk.checks.price_grid import PRICE_GRID
from apps.risk.checks.reducing import REDUCING
from apps.risk.checks.self_trade import SELF_TRADE
from apps.risk.checks.stage import STAGE
from apps.risk.checks.strategy_correlation import STRATEGY_CORRELATION
from apps.risk.checks.trading_state import TRADING_STATE

CHECKS: tuple[Check, ...] = (
    TRADING_STATE,
    STAGE,
    ORDER_SIZE,
    PRICE_GRID,
    REDUCING,
    PRICE_BAND,
    DATA_AGE,
    ORDER_NOTIONAL,
    SELF_TRADE,
    EDGE,
    DAY_LOSS,
    STRATEGY_DRAWDOWN,
    PORTFOLIO_DRAWDOWN,
    ASSET_EXPOSURE,
    LEVERAGE,
    STRATEGY_CORRELATION,
    ASSET_CORRELATION,
    GROSS_EXPOSURE,
    NET_EXPOSURE,
    MARGIN,
    OPEN_ORDERS,
    ORDER_RATE,
    HALF_OPEN,
    CUSTOM_RULES,
)

__all__ = ["CHECKS"]
