"""Rows of the exchange floor: venues, accounts, instruments, orders, fills, positions, the gate."""

from apps.exchanges.models.accounts import Account, EquityMark, Portfolio, Signer
from apps.exchanges.models.exposure import ALL_ASSETS, ExposureCounter
from apps.exchanges.models.gate import ScopeKind, TradingState, TradingStateChange, TradingMode
from apps.exchanges.models.orders import CommandKind, CommandStatus, Order, OrderCommand, OrderEvent
from apps.exchanges.models.positions import UNASSIGNED, Fill, FundingPayment, Position, Transfer
from apps.exchanges.models.venues import Environment, InstrumentRow, Venue
from apps.exchanges.models.vetoes import Veto

__all__ = [
    "ALL_ASSETS",
    "UNASSIGNED",
    "ExposureCounter",
    "Veto",
    "Account",
    "CommandKind",
    "CommandStatus",
    "Environment",
    "EquityMark",
    "Fill",
    "FundingPayment",
    "InstrumentRow",
    "Order",
    "OrderCommand",
    "OrderEvent",
    "Portfolio",
    "Position",
    "ScopeKind",
    "Signer",
    "TradingMode",
    "TradingState",
    "TradingStateChange",
    "Transfer",
    "Venue",
]
