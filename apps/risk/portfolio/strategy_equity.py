"""What each strategy is worth: its capital plus what its own ledger says it made, at the venue's marks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from apps.exchanges.execution.nudges import EVERYTHING
from apps.exchanges.models import Account, Position, ScopeKind
from apps.risk.models import Allocation
from apps.risk.portfolio.drawdown import Observation
from apps.risk.scope import ScopeId
from moondev.domain.portfolio import Holding

# Mark price by account id and the venue's symbol.
MarksByAccount = Mapping[int, Mapping[str, Decimal]]


@dataclass(frozen=True, slots=True)
class Watched:
    """A strategy to watch: its capital and the account it trades on."""

    strategy: str
    capital: Decimal
    account: Account

    @property
    def scope(self) -> ScopeId:
        """Return the strategy's scope."""
        return (ScopeKind.STRATEGY.value, self.strategy)

    @property
    def enclosing(self) -> tuple[ScopeId, ...]:
        """Return every scope that contains the strategy, whose limits bind it."""
        return (
            EVERYTHING,
            (ScopeKind.PORTFOLIO.value, self.account.portfolio_id),
            (ScopeKind.VENUE.value, self.account.venue_id),
            (ScopeKind.ACCOUNT.value, self.account.code),
            self.scope,
        )


def read_watched() -> list[Watched]:
    """Return every strategy that has ever ticked, in one query."""
    rows = Allocation.objects.select_related("account").order_by("strategy")
    return [Watched(row.strategy, row.capital, row.account) for row in rows]


def observe_strategies(watched: Iterable[Watched], marks: MarksByAccount) -> list[Observation]:
    """Return the equity of each strategy whose every open position has a mark; one query.

    A strategy with an open position that no venue priced just now is left out: unknown, not zero.
    """
    capital = {item.strategy: item.capital for item in watched}
    equities: defaultdict[str, Decimal | None] = defaultdict(Decimal)
    rows = Position.objects.filter(strategy__in=capital).select_related("instrument")
    for row in rows:
        mark = marks.get(row.account_id, {}).get(row.instrument.symbol)
        equities[row.strategy] = _plus(equities[row.strategy], profit_of(row.to_domain(), mark))
    return [
        Observation((ScopeKind.STRATEGY.value, strategy), amount + profit, amount)
        for strategy, amount in capital.items()
        if (profit := equities[strategy]) is not None
    ]


def profit_of(holding: Holding, mark: Decimal | None) -> Decimal | None:
    """Return all a holding has made, its open part at `mark`; None when that part has no mark."""
    if holding.quantity == 0:
        return holding.equity(Decimal(0))
    return None if mark is None else holding.equity(mark)


def _plus(total: Decimal | None, part: Decimal | None) -> Decimal | None:
    return None if total is None or part is None else total + part
