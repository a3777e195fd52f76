"""What limits there are: what each bounds, in which unit, and for which scopes it can be measured."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from django.db import models

from apps.exchanges.models import ScopeKind


class LimitScope(models.TextChoices):
    """What a limit or a rule can be about: the scopes of the gate, and an asset at all venues together."""

    EVERYTHING = ScopeKind.EVERYTHING.value
    PORTFOLIO = ScopeKind.PORTFOLIO.value
    VENUE = ScopeKind.VENUE.value
    ACCOUNT = ScopeKind.ACCOUNT.value
    STRATEGY = ScopeKind.STRATEGY.value
    ASSET = "asset"
    INSTRUMENT = ScopeKind.INSTRUMENT.value


class LimitKind(models.TextChoices):
    """What a limit bounds, with its unit. Every kind is an upper bound: the smallest is the tightest."""

    MAX_DATA_AGE_MS = "max_data_age_ms", "oldest market data to open on (ms)"
    MAX_ORDER_NOTIONAL = "max_order_notional", "largest order (money)"
    PRICE_BAND_BPS = "price_band_bps", "farthest price from the mid (bps)"
    REDUCING_PRICE_BAND_BPS = "reducing_price_band_bps", "the same for exits (bps)"
    ASSET_SHARE = "asset_share", "largest exposure per asset (share of portfolio equity)"
    MAX_LEVERAGE = "max_leverage", "largest gross exposure (multiple of equity)"
    MAX_GROSS_EXPOSURE = "max_gross_exposure", "largest gross exposure (money)"
    MAX_NET_EXPOSURE = "max_net_exposure", "largest exposure to one direction (money)"
    MARGIN_SHARE = "margin_share", "most margin in use at the venue (share of account equity)"
    MAX_OPEN_ORDERS = "max_open_orders", "most orders that are open at once (number)"
    ORDERS_PER_MINUTE = "orders_per_minute", "most orders placed in a minute (number)"
    DAY_LOSS = "day_loss", "loss since 00:00 UTC after which nothing opens (share)"
    STRATEGY_DRAWDOWN = "strategy_drawdown", "drawdown that stops a strategy (share)"
    PORTFOLIO_DRAWDOWN = "portfolio_drawdown", "drawdown that stops the portfolio (share)"
    STRATEGY_CORRELATION = "strategy_correlation", "correlation above which strategies share one limit (share)"
    ASSET_CORRELATION = "asset_correlation", "correlation above which assets share one limit (share)"
    FEE_SHARE = "fee_share", "fees both ways that a stated edge may cost (share of the edge)"
    POSITION_AGE_SECONDS = "position_age_seconds", "longest time a position stays open (s)"


class Unit(StrEnum):
    """In what a limit is counted."""

    MONEY = "money"
    SHARE = "share"
    MULTIPLE = "multiple"
    BPS = "bps"
    NUMBER = "number"
    TIME = "time"


UNITS: Mapping[LimitKind, Unit] = MappingProxyType(
    {
        LimitKind.MAX_DATA_AGE_MS: Unit.TIME,
        LimitKind.MAX_ORDER_NOTIONAL: Unit.MONEY,
        LimitKind.PRICE_BAND_BPS: Unit.BPS,
        LimitKind.REDUCING_PRICE_BAND_BPS: Unit.BPS,
        LimitKind.ASSET_SHARE: Unit.SHARE,
        LimitKind.MAX_LEVERAGE: Unit.MULTIPLE,
        LimitKind.MAX_GROSS_EXPOSURE: Unit.MONEY,
        LimitKind.MAX_NET_EXPOSURE: Unit.MONEY,
        LimitKind.MARGIN_SHARE: Unit.SHARE,
        LimitKind.MAX_OPEN_ORDERS: Unit.NUMBER,
        LimitKind.ORDERS_PER_MINUTE: Unit.NUMBER,
        LimitKind.DAY_LOSS: Unit.SHARE,
        LimitKind.STRATEGY_DRAWDOWN: Unit.SHARE,
        LimitKind.PORTFOLIO_DRAWDOWN: Unit.SHARE,
        LimitKind.STRATEGY_CORRELATION: Unit.SHARE,
        LimitKind.ASSET_CORRELATION: Unit.SHARE,
        LimitKind.FEE_SHARE: Unit.SHARE,
        LimitKind.POSITION_AGE_SECONDS: Unit.TIME,
    }
)

_OF_PORTFOLIOS = frozenset({LimitScope.EVERYTHING, LimitScope.PORTFOLIO})
_OF_ACCOUNTS = _OF_PORTFOLIOS | {LimitScope.VENUE, LimitScope.ACCOUNT}
_OF_STRATEGIES = _OF_ACCOUNTS | {LimitScope.STRATEGY}
# Where what a kind bounds is measured, when that is not everywhere: elsewhere a limit would never bind.
MEASURED_IN: Mapping[LimitKind, frozenset[LimitScope]] = MappingProxyType(
    {
        LimitKind.MARGIN_SHARE: _OF_ACCOUNTS,
        LimitKind.DAY_LOSS: _OF_PORTFOLIOS,
        LimitKind.PORTFOLIO_DRAWDOWN: _OF_PORTFOLIOS,
        LimitKind.STRATEGY_DRAWDOWN: _OF_STRATEGIES,
        LimitKind.MAX_LEVERAGE: _OF_STRATEGIES,
        LimitKind.POSITION_AGE_SECONDS: _OF_STRATEGIES,
        LimitKind.STRATEGY_CORRELATION: _OF_STRATEGIES,
        LimitKind.ASSET_CORRELATION: _OF_PORTFOLIOS,
    }
)

# These bind where they are set. Without an active limit of any other kind around an order nothing opens.
BINDS_WHERE_SET = frozenset(
    {
        LimitKind.MAX_GROSS_EXPOSURE, LimitKind.MAX_NET_EXPOSURE, LimitKind.MARGIN_SHARE, LimitKind.MAX_OPEN_ORDERS,
        LimitKind.ORDERS_PER_MINUTE, LimitKind.DAY_LOSS, LimitKind.FEE_SHARE, LimitKind.POSITION_AGE_SECONDS,
        LimitKind.STRATEGY_CORRELATION, LimitKind.ASSET_CORRELATION,
    }
)  # fmt: skip
# What only live accounts, venues and processes can tell: a backtest does not ask.
LIVE_ONLY = BINDS_WHERE_SET
