"""At what price an exit of each stage goes out, and how long it lives."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from decimal import Decimal

from apps.exchanges.accounts.plausible import close_to
from apps.exchanges.execution.books import Books
from apps.exchanges.execution.exit_stage import Stage
from apps.exchanges.execution.exits import Exit
from moondev.domain.errors import TradingError
from moondev.domain.instruments import Instrument, Rounding
from moondev.domain.orders import TimeInForce
from moondev.domain.values import Bps, Price, Side

logger = logging.getLogger(__name__)

# How much of the veto's slippage an exit through the book may use up before the market stage.
LIMIT_SHARE = Decimal("0.1")
# Venues refuse limits too far from a mark that may have moved since we read it (Binance: 5 % for its large symbols), so
# every second try at the market stays a little inside.
SECOND_TRY_SHARE = Decimal("0.8")


@dataclass(frozen=True, slots=True)
class Terms:
    """The worst price of an exit, and how long it lives."""

    price: Price
    time_in_force: TimeInForce


def worst_price(instrument: Instrument, side: Side, mark: Price, slippage_bps: Decimal) -> Price:
    """Return the grid price within `slippage_bps` of `mark`: a cap, so it is rounded inwards."""
    away = slippage_bps if side is Side.BUY else -slippage_bps
    return instrument.price_grid.rounded(mark.moved(Bps(away)).value, Rounding.passive(side))


def trusted_mark(exit_: Exit, attempt: int, books: Books) -> Price:
    """Return the price that an exit's cap counts from: the venue's mark, unless that is far from the market.

    From a mark ten times too high no sale ever fills; from one ten times too low it may sweep the book to the bottom.
    So a mark that is far from the entry, or at which an exit did not fill, is held against the book, and where these
    two disagree the middle one of mark, touch and entry counts. Without a book, or without an entry, it is the mark:
    one doubt is no better than the other.
    """
    if exit_.entry is None or (attempt == 0 and close_to(exit_.mark.value, exit_.entry.value)):
        return exit_.mark
    touch = _touch(books, exit_.instrument, exit_.side.opposite)
    if touch is None or close_to(exit_.mark.value, touch.value):
        return exit_.mark
    return sorted([exit_.mark, touch, exit_.entry])[1]


def terms(
    stage: Stage, instrument: Instrument, side: Side, mark: Price, slippage_bps: int, attempt: int, books: Books
) -> Terms:
    """Return the terms of an exit at `stage`, all of which are immediate but for those that rest at the touch.

    An immediate limit is what every venue bounds; the kinds that venues call market are not bounded by all of them. The
    next look repeats it, so that nothing but the first stage has to be taken back.
    """
    cap = Decimal(slippage_bps)
    if stage is Stage.POST_ONLY:
        touch = _touch(books, instrument, side)
        if touch is not None:
            bound = worst_price(instrument, side, mark, cap)
            return Terms(min(touch, bound) if side is Side.BUY else max(touch, bound), TimeInForce.POST_ONLY)
        stage = Stage.LIMIT
    share = LIMIT_SHARE if stage is Stage.LIMIT else SECOND_TRY_SHARE if attempt % 2 else Decimal(1)
    return Terms(worst_price(instrument, side, mark, cap * share), TimeInForce.IOC)


def _touch(books: Books, instrument: Instrument, side: Side) -> Price | None:
    """Return the best price of the side we would join; None when there is none, or it cannot be asked for."""
    try:
        book = books.book(instrument.venue, instrument.symbol)
    except TradingError as error:
        logger.warning("%s: no touch to rest at: %s", instrument.key, error)
        return None
    levels = book.bids if side is Side.BUY else book.asks
    if not levels:
        return None
    return instrument.price_grid.rounded(Decimal(str(levels[0].price)), Rounding.passive(side))
