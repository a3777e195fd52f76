"""What the guard sees in one pass, as points of the equity series: strategies, accounts, portfolios and everything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from apps.exchanges.models import Account, ScopeKind
from apps.exchanges.venue_types import AccountSnapshot
from apps.risk.models import Level
from apps.risk.portfolio.conversion import Conversion
from apps.risk.portfolio.drawdown import Mark
from apps.risk.portfolio.figures import Figures
from apps.risk.portfolio.portfolio_equity import moved_by_account
from apps.risk.portfolio.series_keeper import EquityPoint
from apps.risk.portfolio.strategy_equity import read_watched
from apps.risk.portfolio.valuation import Key
from apps.risk.scope import ScopeId
from moondev.domain.values import ZERO


def equity_points(
    accounts: Sequence[Account],
    heard: Mapping[int, AccountSnapshot],
    marks: Mapping[ScopeId, Mark],
    figures: Mapping[Key, Figures],
    conversion: Conversion,
    now: datetime,
) -> list[EquityPoint]:
    """Return the equity of everything that is known now, each in its own currency; a total in the reporting one."""
    moved = moved_by_account(account.pk for account in accounts)
    return [
        *_strategies(marks, now),
        *_accounts(accounts, heard, moved),
        *_portfolios(accounts, marks, moved, conversion, now),
        *_totals(accounts, figures, moved, conversion),
    ]


def _strategies(marks: Mapping[ScopeId, Mark], now: datetime) -> Iterator[EquityPoint]:
    for item in read_watched():
        mark = marks.get(item.scope)
        if mark is not None and mark.marked_at == now:
            yield EquityPoint(item.scope, mark.equity, {str(item.account.pk): mark.funded})


def _accounts(
    accounts: Sequence[Account], heard: Mapping[int, AccountSnapshot], moved: Mapping[int, Decimal]
) -> Iterator[EquityPoint]:
    for account in accounts:
        if account.pk in heard:
            parts = {str(account.pk): moved.get(account.pk, ZERO)}
            yield EquityPoint((ScopeKind.ACCOUNT.value, account.code), heard[account.pk].equity.value, parts)


def _portfolios(
    accounts: Sequence[Account],
    marks: Mapping[ScopeId, Mark],
    moved: Mapping[int, Decimal],
    conversion: Conversion,
    now: datetime,
) -> Iterator[EquityPoint]:
    for portfolio in {account.portfolio_id: account.portfolio for account in accounts}.values():
        scope = (ScopeKind.PORTFOLIO.value, portfolio.code)
        members = [account for account in accounts if account.portfolio_id == portfolio.code]
        mark = marks.get(scope)
        if mark is not None and mark.marked_at == now:
            point = _summed(scope, mark.equity, members, portfolio.currency, moved, conversion)
            yield from () if point is None else (point,)


def _totals(
    accounts: Sequence[Account], figures: Mapping[Key, Figures], moved: Mapping[int, Decimal], conversion: Conversion
) -> Iterator[EquityPoint]:
    for (environment, level, _), found in figures.items():
        if level != Level.TOTAL or found.equity is None:
            continue
        members = [account for account in accounts if account.portfolio.environment == environment]
        scope = (Level.TOTAL.value, environment)
        point = _summed(scope, found.equity, members, found.currency, moved, conversion)
        yield from () if point is None else (point,)


def _summed(
    scope: ScopeId,
    equity: Decimal,
    members: Sequence[Account],
    currency: str,
    moved: Mapping[int, Decimal],
    conversion: Conversion,
) -> EquityPoint | None:
    """Return the point of several accounts; None while money of one of them cannot be converted."""
    rates = {str(member.pk): conversion.rate(member.currency, currency) for member in members}
    known = {part: rate for part, rate in rates.items() if rate is not None}
    if len(known) < len(rates):
        return None
    return EquityPoint(scope, equity, {str(member.pk): moved.get(member.pk, ZERO) for member in members}, known)
