"""Rows of the risk floor: limits and their history, breakers, sizing, allocations, marks, rates, truth and events."""

from apps.risk.models.allocation_proposals import AllocationProposal, ProposalStatus
from apps.risk.models.allocations import Allocation
from apps.risk.models.breakers import (
    CUMULATIVE,
    OF_OWN_ORDERS,
    Breaker,
    BreakerChange,
    BreakerState,
    Metric,
    Recovery,
)
from apps.risk.models.correlations import Correlated, Correlation
from apps.risk.models.drills import DrillRun
from apps.risk.models.events import RiskEvent
from apps.risk.models.limit_kinds import (
    BINDS_WHERE_SET,
    LIVE_ONLY,
    MEASURED_IN,
    UNITS,
    LimitKind,
    LimitScope,
    Unit,
)
from apps.risk.models.limits import Limit, LimitChange
from apps.risk.models.marks import HighWaterMark
from apps.risk.models.rates import ConversionRate
from apps.risk.models.releases import ReleaseRequest
from apps.risk.models.rules import CustomRule
from apps.risk.models.sizing import RULE_FIELDS, Sizing, SizingChange, StrategyTrades
from apps.risk.models.truth import Level, TruthRow

__all__ = [
    "BINDS_WHERE_SET",
    "CUMULATIVE",
    "LIVE_ONLY",
    "MEASURED_IN",
    "OF_OWN_ORDERS",
    "RULE_FIELDS",
    "UNITS",
    "Allocation",
    "AllocationProposal",
    "Breaker",
    "BreakerChange",
    "BreakerState",
    "ConversionRate",
    "Correlated",
    "Correlation",
    "CustomRule",
    "DrillRun",
    "HighWaterMark",
    "Level",
    "Limit",
    "LimitChange",
    "LimitKind",
    "LimitScope",
    "Metric",
    "ProposalStatus",
    "Recovery",
    "ReleaseRequest",
    "RiskEvent",
    "Sizing",
    "SizingChange",
    "StrategyTrades",
    "TruthRow",
    "Unit",
]
