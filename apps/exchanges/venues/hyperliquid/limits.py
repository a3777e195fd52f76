"""What Hyperliquid counts: weight per address of the internet and minute, and requests per account for good.

Numbers: https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/rate-limits-and-user-limits
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from apps.exchanges.throttling import Budget, EarnedBudget, Scope

WEIGHT, REQUESTS = "weight", "requests"
BUDGETS = (
    Budget(WEIGHT, Scope.ADDRESS, capacity=1_200, seconds=60.0),
    # 10,000 to begin with and one more per dollar traded; cancels may go 100,000 beyond, at most as far again.
    EarnedBudget(REQUESTS, Scope.ACCOUNT, initial=10_000, overdraft=100_000, trickle_seconds=10.0),
)

_ORDERS_PER_WEIGHT = 40
_QUESTION = 20
_QUESTIONS: Mapping[str, int] = MappingProxyType(
    {
        **dict.fromkeys(("l2Book", "allMids", "clearinghouseState", "orderStatus", "spotClearinghouseState"), 2),
        "exchangeStatus": 2,
        "userRole": 60,
    }
)
_ROWS_PER_WEIGHT: Mapping[str, int] = MappingProxyType(
    {
        "candleSnapshot": 60,
        **dict.fromkeys(("historicalOrders", "userFills", "userFillsByTime", "recentTrades"), 20),
        **dict.fromkeys(("fundingHistory", "userFunding", "userNonFundingLedgerUpdates"), 20),
    }
)


def action_cost(items: int) -> dict[str, int]:
    """Return what an action about `items` orders or cancels costs."""
    return {WEIGHT: 1 + items // _ORDERS_PER_WEIGHT, REQUESTS: items}


def question_cost(kind: str) -> dict[str, int]:
    """Return what a question costs before its rows are counted."""
    return {WEIGHT: _QUESTIONS.get(kind, _QUESTION)}


def rows_cost(kind: str, answer: object) -> dict[str, int]:
    """Return what the rows of an answer cost on top; nothing for most questions."""
    per = _ROWS_PER_WEIGHT.get(kind)
    extra = len(answer) // per if per is not None and isinstance(answer, list) else 0
    return {WEIGHT: extra} if extra else {}
