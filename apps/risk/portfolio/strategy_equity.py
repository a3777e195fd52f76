"""What each strategy is worth: its capital plus what its own ledger says it made, at the venue's marks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from apps.exchanges.bulk import fetch
from apps.exchanges.execution.nudges import EVERYTHING
from apps.exchanges.models import Account, ScopeKind
from apps.risk.models import Allocation
from apps.risk.portfolio.conversion import conversion_between
from apps.risk.portfolio.drawdown import Observation
from apps.risk.portfolio.figures import added
from apps.risk.scope import ScopeId
from moondev.domain.portfolio import Holding

# Mark price by account id and the venue's symbol.
MarksByAccount = Mapping[int, Mapping[str, Decimal]]
_POSITIONS = (
    "SELECT p.account_id, p.strategy, i.symbol, i.quote, p.quantity, p.cost, p.realised, p.fees, p.funding"
    " FROM exchanges_position p JOIN exchanges_instrument i ON i.id = p.instrument_id WHERE p.strategy = ANY(%s)"
)


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


def observe_strategies(watched: Sequence[Watched], marks: MarksByAccount, now: datetime) -> list[Observation]:
    """Return the equity of each strategy whose every open position has a mark; one query, one more for rates.

    A strategy with an open position that no venue priced just now, or that is quoted in a currency without a rate to
    the strategy's own, is left out: unknown, not zero.
    """
    capital = {item.strategy: item.capital for item in watched}
    currencies = {item.strategy: item.account.currency for item in watched}
    rows = fetch(_POSITIONS, (list(capital),))
    conversion = conversion_between(((row[3], currencies[row[1]]) for row in rows), now)
    equities: defaultdict[str, Decimal | None] = defaultdict(Decimal)
    for account_id, strategy, symbol, quote, *holding in rows:
        profit = profit_of(Holding(*holding), marks.get(account_id, {}).get(symbol))
        equities[strategy] = added(equities[strategy], conversion.convert(profit, quote, currencies[strategy]))
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
