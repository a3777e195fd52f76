"""Every limit there is, how much of it is used now, tightest first; and the kinds that are not set. Pure.

Of several limits on one thing the tightest is shown with its use; the others are named as what they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from apps.exchanges.execution.nudges import EVERYTHING
from apps.exchanges.models import ScopeKind
from apps.risk.limits import LimitBook
from apps.risk.loads import NOTHING, Load, margin_of
from apps.risk.models import LimitKind, LimitScope
from apps.risk.report.book import Book, Stake
from apps.risk.scope import ScopeId
from moondev.domain.values import ZERO

EACH_ORDER, NOT_SET, NOT_TIGHTEST = "each order", "not set", "another is tighter, or nothing is in it"
WORDS = {
    LimitKind.STRATEGY_DRAWDOWN: "strategy drawdown",
    LimitKind.PORTFOLIO_DRAWDOWN: "portfolio drawdown",
    LimitKind.MAX_LEVERAGE: "leverage",
    LimitKind.ASSET_SHARE: "share of one asset",
    LimitKind.MAX_GROSS_EXPOSURE: "gross exposure",
    LimitKind.MAX_NET_EXPOSURE: "net exposure",
    LimitKind.MARGIN_SHARE: "margin in use",
    LimitKind.MAX_OPEN_ORDERS: "open orders",
    LimitKind.ORDERS_PER_MINUTE: "orders per minute",
    LimitKind.DAY_LOSS: "day loss",
    LimitKind.POSITION_AGE_SECONDS: "position age (s)",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One limit on one thing; `where` is the scope it is set for.

    `used` None without a `note`: not known now. With a note nothing can be used of it, and the note says why; `limit`
    None: there is none.
    """

    kind: str
    of: str
    limit: Decimal | None
    used: Decimal | None
    where: str = ""
    note: str = ""

    @property
    def share(self) -> Decimal | None:
        """Return how much of the limit is used, 1 is all of it."""
        return None if self.used is None or self.limit is None else self.used / self.limit

    @property
    def room(self) -> Decimal | None:
        """Return how much of the limit is left, below zero when it is exceeded."""
        return None if self.used is None or self.limit is None else self.limit - self.used

    @property
    def unknown(self) -> bool:
        """Return whether its use should be known and is not."""
        return self.share is None and not self.note


def headroom(book: Book, limits: LimitBook) -> list[Line]:
    """Return the limits around a portfolio and in it: the unknown first, then the fullest, then those without use."""
    measured = [line for part in _PARTS for line in part(book, limits)]
    lines = [*measured, *_unmeasured(book, limits, measured)]
    return sorted(lines, key=_rank)


def around(book: Book) -> tuple[ScopeId, ...]:
    """Return the scopes that contain the whole portfolio."""
    return (EVERYTHING, (ScopeKind.PORTFOLIO.value, book.portfolio))


def around_strategy(book: Book, strategy: str) -> tuple[ScopeId, ...]:
    """Return the scopes that contain one of its strategies, as far as the book knows where it trades."""
    stakes = [stake for stake in book.stakes if stake.strategy == strategy]
    places = {(ScopeKind.VENUE.value, s.venue) for s in stakes} | {(ScopeKind.ACCOUNT.value, s.account) for s in stakes}
    return (*around(book), *sorted(places), (ScopeKind.STRATEGY.value, strategy))


def around_account(book: Book, account: str) -> tuple[ScopeId, ...]:
    """Return the scopes that contain one of its accounts."""
    venue = book.accounts[account].venue
    return (*around(book), (ScopeKind.VENUE.value, venue), (ScopeKind.ACCOUNT.value, account))


def _line(
    kind: LimitKind, of: str, scopes: Iterable[ScopeId], used: Decimal | None, limits: LimitBook
) -> Iterator[Line]:
    """Yield the line of the tightest limit of a kind on one thing, if there is any."""
    found = limits.binding(kind, scopes)
    if found is not None:
        scope, value = found
        yield Line(limit_words(kind), of, value, used, f"{scope[0]}:{scope[1]}")


def _drawdowns(book: Book, limits: LimitBook) -> Iterator[Line]:
    yield from _line(LimitKind.PORTFOLIO_DRAWDOWN, book.portfolio, around(book), book.worth.drawdown, limits)
    for strategy, worth in sorted(book.strategies.items()):
        scopes = around_strategy(book, strategy)
        yield from _line(LimitKind.STRATEGY_DRAWDOWN, strategy, scopes, worth.drawdown, limits)


def _day_loss(book: Book, limits: LimitBook) -> Iterator[Line]:
    equity, begun = book.worth.equity, book.begun
    lost = None if equity is None or begun is None or begun <= 0 else max((begun - equity) / begun, ZERO)
    yield from _line(LimitKind.DAY_LOSS, book.portfolio, around(book), lost, limits)


def _leverage(book: Book, limits: LimitBook) -> Iterator[Line]:
    kind = LimitKind.MAX_LEVERAGE
    yield from _line(kind, book.portfolio, around(book), _multiple(book.gross, book.worth.equity), limits)
    for code, account in sorted(book.accounts.items()):
        gross = _gross(stake for stake in book.stakes if stake.account == code)
        yield from _line(kind, code, around_account(book, code), _multiple(gross, account.equity), limits)
    for strategy, worth in sorted(book.strategies.items()):
        gross = _gross(stake for stake in book.stakes if stake.strategy == strategy)
        yield from _line(kind, strategy, around_strategy(book, strategy), _multiple(gross, worth.equity), limits)


def _assets(book: Book, limits: LimitBook) -> Iterator[Line]:
    for asset in book.assets:
        scopes = (*around(book), (LimitScope.ASSET.value, asset))
        used = _multiple(book.of_asset(asset), book.worth.equity)
        yield from _line(LimitKind.ASSET_SHARE, asset, scopes, used, limits)


def _margin(book: Book, limits: LimitBook) -> Iterator[Line]:
    for code, account in sorted(book.accounts.items()):
        load, used = book.loads.get((ScopeKind.ACCOUNT.value, code), NOTHING), account.margin_used
        needed = None if used is None else margin_of(load, used)
        share = None if needed is None else _multiple(needed, account.equity)
        yield from _line(LimitKind.MARGIN_SHARE, code, around_account(book, code), share, limits)


def _loads(book: Book, limits: LimitBook) -> Iterator[Line]:
    figures: dict[LimitKind, Callable[[Load], Decimal]] = {
        LimitKind.MAX_GROSS_EXPOSURE: lambda load: load.gross * (book.rate or ZERO),
        LimitKind.MAX_NET_EXPOSURE: lambda load: max(load.net + load.buys, load.sells - load.net) * (book.rate or ZERO),
        LimitKind.MAX_OPEN_ORDERS: lambda load: Decimal(load.orders),
        LimitKind.ORDERS_PER_MINUTE: lambda load: Decimal(load.recent),
    }
    money = {LimitKind.MAX_GROSS_EXPOSURE, LimitKind.MAX_NET_EXPOSURE}
    for kind, figure in figures.items():
        for scope in sorted(scope for scope in limits.of(kind) if _concerns(book, scope)):
            used = None if kind in money and book.rate is None else figure(book.loads.get(scope, NOTHING))
            yield from _line(kind, f"{scope[0]}:{scope[1]}", [scope], used, limits)


def _ages(book: Book, limits: LimitBook) -> Iterator[Line]:
    for strategy in sorted(book.strategies):
        age = book.ages.get(strategy, ZERO)
        yield from _line(LimitKind.POSITION_AGE_SECONDS, strategy, around_strategy(book, strategy), age, limits)


_PARTS: tuple[Callable[[Book, LimitBook], Iterator[Line]], ...] = (
    _drawdowns, _day_loss, _leverage, _assets, _margin, _loads, _ages,
)  # fmt: skip


def _unmeasured(book: Book, limits: LimitBook, measured: Iterable[Line]) -> Iterator[Line]:
    """Yield the limits that no line has shown yet, and the kinds that are not set around the portfolio or in it."""
    shown = {(line.kind, line.where) for line in measured}
    for kind in LimitKind:
        rows = [(scope, value) for scope, value in sorted(limits.of(kind).items()) if _concerns(book, scope)]
        for scope, value in rows:
            where = f"{scope[0]}:{scope[1]}"
            if (limit_words(kind), where) not in shown:
                note = NOT_TIGHTEST if kind in WORDS else EACH_ORDER
                yield Line(limit_words(kind), where, value, None, where, note)
        if not rows:
            yield Line(limit_words(kind), book.portfolio, None, None, "", NOT_SET)


def _concerns(book: Book, scope: ScopeId) -> bool:
    """Return whether a limit on `scope` binds anything of the portfolio."""
    kind, key = scope
    known: dict[str, Iterable[str]] = {
        LimitScope.PORTFOLIO.value: [book.portfolio],
        LimitScope.ACCOUNT.value: book.accounts,
        LimitScope.VENUE.value: {account.venue for account in book.accounts.values()},
        LimitScope.STRATEGY.value: book.strategies,
    }
    return kind not in known or key in known[kind]


def limit_words(kind: LimitKind) -> str:
    """Return what a report calls a kind of limit."""
    return WORDS.get(kind, kind.value.replace("_", " "))


def _gross(stakes: Iterable[Stake]) -> Decimal:
    return sum((abs(stake.value) for stake in stakes), ZERO)


def _rank(line: Line) -> tuple[bool, bool, Decimal, str, str]:
    return bool(line.note), line.share is not None, -(line.share or ZERO), line.kind, line.of


def _multiple(amount: Decimal, equity: Decimal | None) -> Decimal | None:
    return None if equity is None or equity <= 0 else amount / equity
