"""How full limits on money are: 1 is all of a limit. What is not known now is not known, never empty."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from apps.exchanges.execution.nudges import EVERYTHING
from apps.exchanges.market_data.cache import MarketCache
from apps.exchanges.models import ScopeKind
from apps.monitor.alerts.look import Look
from apps.monitor.alerts.measured import Measured, Readings, number, scope
from apps.risk.limits import read_limits
from apps.risk.models import LimitKind
from apps.risk.report.headroom import WORDS, Line, headroom
from apps.risk.report.read import read_books

_DRAWDOWNS = {
    WORDS[LimitKind.PORTFOLIO_DRAWDOWN]: ScopeKind.PORTFOLIO,
    WORDS[LimitKind.STRATEGY_DRAWDOWN]: ScopeKind.STRATEGY,
}
_DAY_LOSS = WORDS[LimitKind.DAY_LOSS]
# How many orders are out says nothing about money; an order too many is refused and that is all.
_OTHERS = frozenset(WORDS.values()) - set(_DRAWDOWNS) - {
    _DAY_LOSS, WORDS[LimitKind.ORDERS_PER_MINUTE], WORDS[LimitKind.MAX_OPEN_ORDERS],
}  # fmt: skip
_ROOT = f"{EVERYTHING[0]}:{EVERYTHING[1]}"


def drawdown_use(look: Look) -> Readings:
    """Return how much of its drawdown limit each portfolio and strategy has used."""
    return _used(look, lambda line: _DRAWDOWNS.get(line.kind))


def day_loss_use(look: Look) -> Readings:
    """Return how much of its limit on a day's loss each portfolio has used."""
    return _used(look, lambda line: ScopeKind.PORTFOLIO if line.kind == _DAY_LOSS else None)


def limit_use(look: Look) -> Readings:
    """Return how much is used of every other limit on exposure, leverage, margin and age."""
    found = {}
    for portfolio, line in _lines(look):
        if line.kind in _OTHERS and not line.note:
            around = (scope("portfolio", portfolio), line.where)
            found[scope("limit", f"{line.kind.replace(' ', '-')}/{line.of}")] = _measured(line, around)
    return found


def _used(look: Look, kind_of: Callable[[Line], ScopeKind | None]) -> Readings:
    found = {}
    for portfolio, line in _lines(look):
        kind = kind_of(line)
        if kind is not None and not line.note:
            found[scope(kind.value, line.of)] = _measured(line, (scope("portfolio", portfolio),))
    return found


def _measured(line: Line, around: tuple[str, ...]) -> Measured:
    used = "not known" if line.used is None else f"{number(line.used):f}"
    limit = "none" if line.limit is None else f"{line.limit.normalize():f}"
    within = tuple(name for name in dict.fromkeys(around) if name != _ROOT)
    return Measured(number(line.share), f"{line.kind} of {line.of}: {used} of {limit} ({line.where})", within)


def _lines(look: Look) -> list[tuple[str, Line]]:
    return look.once("limit lines", lambda: list(_read(look)))


def _read(look: Look) -> Iterator[tuple[str, Line]]:
    limits = read_limits()
    for book in read_books(look.now, MarketCache(look.cache)):
        for line in headroom(book, limits):
            yield book.portfolio, line
