"""One market as the market maker sees it in one tick."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from apps.strategies.base import OwnPosition
from apps.strategies.library.amounts import exact
from apps.strategies.library.making.parameters import MINUTE, ZONE_BAR, MakerParameters
from moondev.domain.clock import milliseconds
from moondev.domain.instruments import Instrument
from moondev.domain.market_data import BarSeries, Book, MarketView
from moondev.domain.portfolio import Holding

MS_IN_SECOND = 1_000


@dataclass(frozen=True, slots=True)
class Scene:
    """Closed bars, a two-sided book, the own holding and the rules of one market.

    `bars` are 1m bars, 5m for the zone model; `allocation` = equity x leverage.
    """

    instrument: Instrument
    bars: BarSeries
    book: Book
    holding: Holding
    allocation: float
    now_ms: int
    params: MakerParameters

    @property
    def mid(self) -> float:
        """Return the middle of the book."""
        return self.book.mid

    @property
    def bid(self) -> float:
        """Return the best bid."""
        return self.book.bids[0].price

    @property
    def ask(self) -> float:
        """Return the best ask."""
        return self.book.asks[0].price

    @property
    def tick(self) -> float:
        """Return the distance between neighbouring prices around the mid."""
        return float(self.instrument.price_grid.step_at(exact(self.mid)))

    @property
    def quantity(self) -> float:
        """Return the signed holding in base units."""
        return float(self.holding.quantity)

    @property
    def unit(self) -> float:
        """Return what is quoted on one side, in base units."""
        return self.params.order_weight_percent / 100 * self.allocation / self.mid

    @property
    def reason(self) -> str:
        """Return the text under which quotes are reported."""
        return self.params.model


def bar_of(params: MakerParameters) -> timedelta:
    """Return the length of the bars the model looks at."""
    return ZONE_BAR if params.model == "zone" else MINUTE


def bars_wanted(params: MakerParameters) -> int:
    """Return how many bars to ask for."""
    if params.model == "zone":
        return params.zone_bars
    return params.volatility_bars + params.spike_bars + 1


def bars_needed(params: MakerParameters) -> int:
    """Return the bars without which nothing is quoted."""
    return params.zone_bars if params.model == "zone" else params.min_volatility_bars


def scene_of(
    view: MarketView, own: OwnPosition, params: MakerParameters, instrument: Instrument
) -> tuple[Scene | None, str]:
    """Return the scene of one instrument, or None and a note why nothing can be quoted."""
    if not own.equity * own.leverage > 0:
        return None, f"nothing to trade with: equity {own.equity:g}, leverage {own.leverage:g}"
    seen = view.instruments.get(instrument.key)
    if seen is None:
        return None, "no market data"
    if seen.age.total_seconds() > params.max_data_age_seconds:
        return None, f"market data is {seen.age.total_seconds():g} s old"
    if seen.book is None or not seen.book.bids or not seen.book.asks:
        return None, "no two-sided book"
    bars, problem = _usable(seen.bars, params)
    if bars is None:
        return None, problem
    scene = Scene(
        instrument=instrument,
        bars=bars,
        book=seen.book,
        holding=own.holding(instrument.key),
        allocation=own.equity * own.leverage,
        now_ms=milliseconds(view.now),
        params=params,
    )
    return scene, ""


def _usable(bars: Mapping[timedelta, BarSeries], params: MakerParameters) -> tuple[BarSeries | None, str]:
    series, minutes = bars.get(bar_of(params)), int(bar_of(params).total_seconds()) // 60
    if series is None or len(series) < bars_needed(params):
        have = 0 if series is None else len(series)
        return None, f"{have} closed {minutes}m bars, {bars_needed(params)} needed"
    newest = slice(-bars_wanted(params), None)
    prices = np.stack((series.high[newest], series.low[newest], series.close[newest]))
    if not bool((np.isfinite(prices) & (prices > 0)).all()):
        return None, f"a {minutes}m bar holds a price that is not a finite number above 0"
    return series.tail(bars_wanted(params)), ""
