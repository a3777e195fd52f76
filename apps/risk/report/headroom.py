"""Every limit that something can be measured against: how much of it is used now, tightest first. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from apps.exchanges.execution.nudges import EVERYTHING
from apps.exchanges.models import ScopeKind
from apps.risk.limits import LimitBook
from apps.risk.models import LimitKind
from apps.risk.report.book import Book
from apps.risk.scope import ScopeId
from moondev.domain.values import ZERO


@dataclass(frozen=True, slots=True)
class Line:
    """One limit on one thing. `used` None: not known now; `share` is the part of the limit that is used."""

    kind: str
    of: str
    limit: Decimal
    used: Decimal | None

    @property
    def share(self) -> Decimal | None:
        """Return how much of the limit is used, 1 is all of it."""
        return None if self.used is None else self.used / self.limit


def headroom(book: Book, limits: LimitBook) -> list[Line]:
    """Return the limits of a portfolio, its strategies and its assets: the fullest first, unknown ones before them."""
    lines = [*_drawdowns(book, limits), *_leverage(book, limits), *_assets(book, limits)]
    return sorted(lines, key=lambda line: (line.share is not None, -(line.share or ZERO), line.kind, line.of))


def around(book: Book) -> tuple[ScopeId, ...]:
    """Return the scopes that contain the whole portfolio."""
    return (EVERYTHING, (ScopeKind.PORTFOLIO.value, book.portfolio))


def around_strategy(book: Book, strategy: str) -> tuple[ScopeId, ...]:
    """Return the scopes that contain one of its strategies, as far as the book knows where it trades."""
    stakes = [stake for stake in book.stakes if stake.strategy == strategy]
    places = {(ScopeKind.VENUE.value, s.venue) for s in stakes} | {(ScopeKind.ACCOUNT.value, s.account) for s in stakes}
    return (*around(book), *sorted(places), (ScopeKind.STRATEGY.value, strategy))


def _drawdowns(book: Book, limits: LimitBook) -> Iterator[Line]:
    most = limits.tightest(LimitKind.PORTFOLIO_DRAWDOWN, around(book))
    if most is not None:
        yield Line("portfolio drawdown", book.portfolio, most, book.worth.drawdown)
    for strategy, worth in sorted(book.strategies.items()):
        most = limits.tightest(LimitKind.STRATEGY_DRAWDOWN, around_strategy(book, strategy))
        if most is not None:
            yield Line("strategy drawdown", strategy, most, worth.drawdown)


def _leverage(book: Book, limits: LimitBook) -> Iterator[Line]:
    most = limits.tightest(LimitKind.MAX_LEVERAGE, around(book))
    if most is None:
        return
    yield Line("leverage", book.portfolio, most, _multiple(book.gross, book.worth.equity))
    for strategy, worth in sorted(book.strategies.items()):
        gross = sum((abs(stake.value) for stake in book.stakes if stake.strategy == strategy), ZERO)
        own = limits.tightest(LimitKind.MAX_LEVERAGE, around_strategy(book, strategy))
        if own is not None:
            yield Line("leverage", strategy, own, _multiple(gross, worth.equity))


def _assets(book: Book, limits: LimitBook) -> Iterator[Line]:
    most = limits.tightest(LimitKind.ASSET_SHARE, around(book))
    if most is None:
        return
    for asset in book.assets:
        yield Line("share of one asset", asset, most, _multiple(book.of_asset(asset), book.worth.equity))


def _multiple(amount: Decimal, equity: Decimal | None) -> Decimal | None:
    return None if equity is None or equity <= 0 else amount / equity
