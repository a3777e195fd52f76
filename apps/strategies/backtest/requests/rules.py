"""The venue's rules for an instrument of which we have only bars: those of its row, else a careful guess.

The guess: prices as fine as the recorded ones, lots worth at most one unit of the quote currency, orders of ten of
them or more. It decides how amounts are rounded, not whether a strategy earns.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from apps.exchanges.models import InstrumentRow, Venue
from apps.strategies.backtest.requests.fees import Fees
from apps.strategies.backtest.requests.names import ASSUMED_QUOTE, SeriesName
from apps.strategies.models import StrategyInstrument
from moondev.domain.instruments import Instrument, PriceGrid
from moondev.domain.market_data import BarSeries, Column
from moondev.domain.values import Money, Quantity

GUESSED = "guessed from the data"
KNOWN = "the venue's own"
MOST_DECIMALS = 10
SMALLEST_ORDER = Decimal(10)
GUESSED_LEVERAGE = 20
# What recordings call a venue's perpetuals, and the code under which the platform trades them.
_CODES = {"hyperliquid-perp": "hyperliquid", "binance-usdm": "binance", "bybit-linear": "bybit"}


@dataclass(frozen=True, slots=True)
class Rules:
    """An instrument and, in words, where its rules are from; the venue's fees when it has a row."""

    instrument: Instrument
    source: str
    fees: Fees | None = None


def known_rules(name: SeriesName) -> Rules | None:
    """Return the rules of the instrument's row; None when the platform does not know the instrument."""
    code = _CODES.get(name.venue, name.venue)
    rows = InstrumentRow.objects.filter(venue_id=code, asset=name.asset).order_by("symbol").select_related("venue")
    row = rows.filter(symbol=name.symbol).first() or rows.filter(quote=name.quote).first()
    return None if row is None else Rules(row.to_domain(), KNOWN, fees_of_row(row.venue))


def rules_of_strategy(slug: str, name: SeriesName) -> Rules | None:
    """Return the rules of the strategy's own instrument of the same asset; None when it has none, or several."""
    own = [row for row in instruments_of(slug) if row.asset == name.asset]
    if len(own) != 1:
        return None
    (row,) = own
    return Rules(row.to_domain(), f"those of {row.key}, which the strategy trades", fees_of_row(row.venue))


def instruments_of(slug: str) -> list[InstrumentRow]:
    """Return the instruments a strategy trades itself, stand-ins left out."""
    links = StrategyInstrument.objects.filter(strategy__slug=slug, stands_in_for=None).order_by("pk")
    return [link.instrument for link in links.select_related("instrument__venue")]


def fees_of_row(venue: Venue) -> Fees:
    """Return the fees of a venue's row."""
    return Fees(float(venue.maker_fee_bps), float(venue.taker_fee_bps), f"venue {venue.code}")


def guessed_rules(name: SeriesName, bars: BarSeries) -> Rules:
    """Return rules guessed from recorded bars."""
    quote = name.quote or ASSUMED_QUOTE
    instrument = Instrument(
        venue=name.venue,
        symbol=name.symbol,
        asset=name.asset,
        quote=quote,
        price_grid=PriceGrid(finest(bars.close)),
        lot=Quantity(_lot(float(np.max(bars.close)))),
        min_notional=Money(SMALLEST_ORDER, quote),
        max_leverage=GUESSED_LEVERAGE,
    )
    words = GUESSED if name.quote else f"{GUESSED}; its name tells no currency, so {ASSUMED_QUOTE} is assumed"
    return Rules(instrument, words)


def finest(numbers: Column, most: int = MOST_DECIMALS) -> Decimal:
    """Return the power of ten of which every number is a multiple, to rounding; none finer than `most` decimals."""
    for decimals in range(most):
        scaled = numbers * 10.0**decimals
        if bool(np.all(np.abs(scaled - np.round(scaled)) < 1e-9 * np.maximum(np.abs(scaled), 1.0) + 1e-6)):
            return Decimal(1).scaleb(-decimals)
    return Decimal(1).scaleb(-most)


def _lot(highest: float) -> Decimal:
    return Decimal(1).scaleb(-int(np.ceil(np.log10(highest))))
