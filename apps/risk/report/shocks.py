"""What would happen to a portfolio, to the first order: positions keep their size, and prices move at once. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import partial

from apps.risk.report.book import Book, Stake, Worth
from moondev.domain.values import ZERO

# What perpetuals have been seen to pay in a bad day: 1 % every eight hours.
FUNDING_SPIKE = Decimal("0.01")
PAYMENTS_A_DAY = 3
AGAINST = Decimal("0.10")
FALLS = (Decimal("-0.05"), Decimal("-0.10"), Decimal("-0.20"))


@dataclass(frozen=True, slots=True)
class Bounds:
    """The limits that a shock may reach, as shares and multiples; None: there is no such limit."""

    strategy_drawdown: Callable[[str], Decimal | None]
    portfolio_drawdown: Decimal | None
    day_loss: Decimal | None
    leverage: Decimal | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """A portfolio after a shock: its profit (below zero: a loss) and what it would trip, in words."""

    shock: str
    profit: Decimal
    equity: Decimal | None
    trips: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class First:
    """The smallest move of all prices, as a share, at which something trips; `what` in words."""

    move: Decimal
    what: str


def shocks(book: Book, bounds: Bounds) -> list[Outcome]:
    """Return what each shock would do."""
    falls = [_outcome(f"all prices {move:+.0%}", book, bounds, partial(_moved, move)) for move in FALLS]
    together = _outcome(
        f"every position {AGAINST:.0%} against itself", book, bounds, lambda stake: -abs(stake.value) * AGAINST
    )
    funding = _outcome(
        f"funding {FUNDING_SPIKE:.0%} each 8 h against us for a day", book, bounds,
        lambda stake: -abs(stake.value) * FUNDING_SPIKE * PAYMENTS_A_DAY,
    )  # fmt: skip
    return [*falls, together, funding, *(_outage(venue, book, bounds) for venue in book.venues)]


def first_to_trip(book: Book, bounds: Bounds) -> list[First]:
    """Return what the smallest fall and the smallest rise of all prices would trip; a way without any is left out."""
    found = []
    for way in (Decimal(-1), Decimal(1)):
        moves = [first for first in _moves(book, bounds, way) if first.move * way >= 0]
        if moves:
            found.append(min(moves, key=lambda first: abs(first.move)))
    return found


def _moved(move: Decimal, stake: Stake) -> Decimal:
    return stake.value * move


def _outcome(name: str, book: Book, bounds: Bounds, profit_of: Callable[[Stake], Decimal]) -> Outcome:
    by_strategy: dict[str, Decimal] = {}
    for stake in book.stakes:
        by_strategy[stake.strategy] = by_strategy.get(stake.strategy, ZERO) + profit_of(stake)
    profit = sum(by_strategy.values(), ZERO)
    equity = None if book.worth.equity is None else book.worth.equity + profit
    trips = [
        f"{strategy} at {drawdown:.1%} drawdown"
        for strategy, made in sorted(by_strategy.items())
        if (drawdown := _reached(book.strategies.get(strategy), made, bounds.strategy_drawdown(strategy))) is not None
    ]
    return Outcome(name, profit, equity, (*trips, *_of_portfolio(book, bounds, profit, equity)))


def _of_portfolio(book: Book, bounds: Bounds, profit: Decimal, equity: Decimal | None) -> list[str]:
    found = []
    drawdown = _reached(book.worth, profit, bounds.portfolio_drawdown)
    if drawdown is not None:
        found.append(f"portfolio at {drawdown:.1%} drawdown")
    if equity is not None and book.begun and bounds.day_loss is not None:
        lost = (book.begun - equity) / book.begun
        found += [f"day loss of {lost:.1%}"] if lost >= bounds.day_loss else []
    if equity is not None and bounds.leverage is not None and book.gross > bounds.leverage * equity:
        found.append(f"leverage of {book.gross / equity:.1f}" if equity > 0 else "no equity left")
    return found


def _reached(worth: Worth | None, profit: Decimal, limit: Decimal | None) -> Decimal | None:
    drawdown = None if worth is None else worth.drawdown_after(profit)
    return drawdown if drawdown is not None and limit is not None and drawdown >= limit else None


def _outage(venue: str, book: Book, bounds: Bounds) -> Outcome:
    """Return what it means that a venue does not answer while what lies there moves against us."""
    stuck = sum((abs(stake.value) for stake in book.stakes if stake.venue == venue), ZERO)
    outcome = _outcome("", book, bounds, lambda stake: -abs(stake.value) * AGAINST if stake.venue == venue else ZERO)
    name = f"{venue} out of reach, {AGAINST:.0%} against what is held there"
    words = f"{stuck:,.0f} {book.currency} cannot be closed; equity is not known, so nothing opens"
    return Outcome(name, outcome.profit, None, (words, *outcome.trips))


def _moves(book: Book, bounds: Bounds, way: Decimal) -> list[First]:
    """Return for each limit the move at which it is reached: profit is linear in the move."""
    found = []
    for strategy, worth in sorted(book.strategies.items()):
        net = sum((stake.value for stake in book.stakes if stake.strategy == strategy), ZERO)
        move = _move_to(worth, net, bounds.strategy_drawdown(strategy), way)
        found += [] if move is None else [First(move, f"{strategy}: drawdown limit of the strategy")]
    net = sum((stake.value for stake in book.stakes), ZERO)
    move = _move_to(book.worth, net, bounds.portfolio_drawdown, way)
    found += [] if move is None else [First(move, "drawdown limit of the portfolio")]
    if book.worth.equity is not None and book.begun and bounds.day_loss is not None and net * way < 0:
        loss = book.worth.equity - book.begun * (1 - bounds.day_loss)
        found.append(First(way * max(loss, ZERO) / abs(net), "day loss"))
    return found


def _move_to(worth: Worth, net: Decimal, limit: Decimal | None, way: Decimal) -> Decimal | None:
    if worth.equity is None or worth.peak is None or limit is None or net * way >= 0:
        return None
    left = worth.equity - worth.peak * (1 - limit)
    return way * max(left, ZERO) / abs(net)
