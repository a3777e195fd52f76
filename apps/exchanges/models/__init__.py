"""Rows of the exchange floor: venues, accounts, instruments, orders, fills, positions, the gate."""

from apps.exchanges.models.accounts import Account, AccountEvent, EquityMark, Portfolio, Signer
from apps.exchanges.models.exposure import ALL_ASSETS, ExposureCounter
from apps.exchanges.models.gate import ScopeKind, TradingMode, TradingState, TradingStateChange
from apps.exchanges.models.history import HistoryPolicy
from apps.exchanges.models.orders import (
    CommandKind,
    CommandStatus,
    Order,
    OrderCommand,
    OrderEvent,
    VenueOrderAlias,
)
from apps.exchanges.models.positions import (
    UNASSIGNED,
    Fill,
    FundingPayment,
    FundingShare,
    Position,
    PositionMove,
    Transfer,
)
from apps.exchanges.models.short_ids import ShortId, ShortIdSequence
from apps.exchanges.models.venues import Environment, InstrumentRow, Venue
from apps.exchanges.models.vetoes import Veto
from apps.exchanges.models.wishes import DataWish

__all__ = [
    "ALL_ASSETS",
    "UNASSIGNED",
    "Account",
    "AccountEvent",
    "CommandKind",
    "CommandStatus",
    "DataWish",
    "Environment",
    "EquityMark",
    "ExposureCounter",
    "Fill",
    "FundingPayment",
    "FundingShare",
    "HistoryPolicy",
    "InstrumentRow",
    "Order",
    "OrderCommand",
    "OrderEvent",
    "Portfolio",
    "Position",
    "PositionMove",
    "ScopeKind",
    "ShortId",
    "ShortIdSequence",
    "Signer",
    "TradingMode",
    "TradingState",
    "TradingStateChange",
    "Transfer",
    "Venue",
    "VenueOrderAlias",
    "Veto",
]
