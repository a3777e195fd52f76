"""Limits that contradict each other: one of the two would never bind, or bind in the wrong order. Pure.

Not every looser limit is one. A narrow scope may be tighter than what surrounds it, for the tightest wins; only a
figure that is larger than another one that it is a part of says two things at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from apps.risk.limits import LimitBook
from apps.risk.models import LimitKind
from apps.risk.scope import ScopeId

Around = Callable[[ScopeId], frozenset[ScopeId]]


@dataclass(frozen=True, slots=True)
class Pair:
    """`lower` may nowhere allow more than `upper`, for the reason `why`.

    `inherited`: a limit on the lower that is set around an upper one counts there, too. Without it a narrow upper limit
    is simply the tighter of the two.
    """

    lower: LimitKind
    upper: LimitKind
    why: str
    inherited: bool


PAIRS = (
    Pair(
        LimitKind.MAX_ORDER_NOTIONAL, LimitKind.MAX_GROSS_EXPOSURE,
        "one order could be larger than all that may be held", inherited=False,
    ),
    Pair(
        LimitKind.MAX_ORDER_NOTIONAL, LimitKind.MAX_NET_EXPOSURE,
        "one order could be larger than all that may lean to one side", inherited=False,
    ),
    Pair(
        LimitKind.MAX_NET_EXPOSURE, LimitKind.MAX_GROSS_EXPOSURE,
        "what leans to one side is a part of what is held, so it would never bind", inherited=False,
    ),
    Pair(
        LimitKind.PRICE_BAND_BPS, LimitKind.REDUCING_PRICE_BAND_BPS,
        "one could enter at a price at which one may not leave", inherited=True,
    ),
    Pair(
        LimitKind.STRATEGY_DRAWDOWN, LimitKind.PORTFOLIO_DRAWDOWN,
        "the portfolio would be flattened before any of its strategies is stopped", inherited=True,
    ),
    Pair(
        LimitKind.DAY_LOSS, LimitKind.PORTFOLIO_DRAWDOWN,
        "what is lost in a day is a drawdown at least as large, so it would never bind", inherited=True,
    ),
)  # fmt: skip
# A single strategy may be given more rope than the portfolio: it is a part of it. All of them together may not.
_OF_ALL_STRATEGIES = frozenset({"everything", "portfolio"})


@dataclass(frozen=True, slots=True)
class Contradiction:
    """What the limit that is being set must keep to, and why."""

    at_most: bool
    bound: Decimal
    other: LimitKind
    scope: ScopeId
    why: str

    def __str__(self) -> str:
        """Return what is allowed, with the reason."""
        word, place = "at most" if self.at_most else "at least", f"{self.scope[0]}:{self.scope[1]}"
        return f"{word} {self.bound.normalize():f}, the {self.other.value} of {place}: {self.why}"


def find_contradiction(
    kind: LimitKind, scope: ScopeId, value: Decimal, book: LimitBook, around: Around
) -> Contradiction | None:
    """Return the first limit of `book` that a limit of `value` would contradict."""
    return next(_contradictions(kind, scope, value, book, around), None)


def _contradictions(
    kind: LimitKind, scope: ScopeId, value: Decimal, book: LimitBook, around: Around
) -> Iterator[Contradiction]:
    for pair in PAIRS:
        if kind is pair.lower and _compared(pair, scope):
            for place, bound in _uppers(pair, scope, book, around):
                if value > bound:
                    yield Contradiction(True, bound, pair.upper, place, pair.why)
        if kind is pair.upper:
            for place, bound in _lowers(pair, scope, book, around):
                if bound > value:
                    yield Contradiction(False, bound, pair.lower, place, pair.why)


def _uppers(pair: Pair, scope: ScopeId, book: LimitBook, around: Around) -> Iterator[tuple[ScopeId, Decimal]]:
    """Yield the upper limits that a lower one on `scope` has to keep to."""
    surrounding = around(scope)
    for place, bound in book.of(pair.upper).items():
        if place in surrounding:
            yield place, bound
        elif pair.inherited and scope in around(place):
            # Deeper inside the lower limit counts only where no other one is tight enough already.
            own = book.tightest(pair.lower, around(place))
            if own is None or own > bound:
                yield place, bound


def _lowers(pair: Pair, scope: ScopeId, book: LimitBook, around: Around) -> Iterator[tuple[ScopeId, Decimal]]:
    """Yield the lower limits that have to keep to an upper one on `scope`."""
    surrounding = around(scope)
    lowers = {place: bound for place, bound in book.of(pair.lower).items() if _compared(pair, place)}
    for place, bound in lowers.items():
        if scope in around(place):
            yield place, bound
    if pair.inherited:
        inherited = [(bound, place) for place, bound in lowers.items() if place in surrounding]
        if inherited:
            bound, place = min(inherited)
            yield place, bound


def _compared(pair: Pair, scope: ScopeId) -> bool:
    return pair.lower is not LimitKind.STRATEGY_DRAWDOWN or scope[0] in _OF_ALL_STRATEGIES
