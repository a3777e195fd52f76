"""One market as the Turtle sees it in one tick."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from apps.strategies.library.sessions import in_session, in_weekend
from apps.strategies.library.turtle.parameters import TurtleParameters
from apps.strategies.library.turtle.pyramid import position_stop
from apps.strategies.library.turtle.units import unit_size
from moondev.domain.clock import milliseconds
from moondev.domain.instruments import Instrument
from moondev.domain.market_data import BarSeries, Column, InstrumentView
from moondev.domain.portfolio import Holding

MS_IN_SECOND = 1_000


@dataclass(frozen=True, slots=True)
class Capital:
    """What may be used: `allocation` = equity x leverage, `sizing` the equity units are cut from.

    Both in the account's currency; `sizing` is smaller than the equity after losses.
    """

    allocation: float
    sizing: float


@dataclass(frozen=True, slots=True)
class Scene:
    """Closed bars with N, the price now, the own holding and the rules of one market."""

    instrument: Instrument
    bars: BarSeries
    n: Column
    price: float
    holding: Holding
    capital: Capital
    now: datetime
    params: TurtleParameters

    @property
    def last_ms(self) -> int:
        """Return the open time of the newest closed bar."""
        return int(self.bars.opened_ms[-1])

    @property
    def bar_ms(self) -> int:
        """Return the length of a bar in milliseconds."""
        return int(self.params.bar.total_seconds()) * MS_IN_SECOND

    @property
    def quantity(self) -> float:
        """Return the signed holding in base units."""
        return float(self.holding.quantity)

    @property
    def cost(self) -> float:
        """Return the signed entry cost of the holding in quote currency."""
        return float(self.holding.cost)

    @property
    def settled(self) -> str:
        """Return a text that changes with every fill that costs a fee or realises anything."""
        return f"{self.holding.realised}|{self.holding.fees}"

    @property
    def held_weight(self) -> float:
        """Return the unsigned share of the allocation that the holding takes at this price."""
        return min(1.0, abs(self.quantity) * self.price / self.capital.allocation)

    @property
    def unit(self) -> float:
        """Return one unit in base units: by risk, at most `max_unit_weight` of the allocation."""
        size = unit_size(self.capital.sizing, self.params.risk_percent / 100, float(self.n[-1]))
        most = self.params.max_unit_weight * self.capital.allocation / self.price
        return min(size, most)

    @property
    def closed_for_weekend(self) -> bool:
        """Return whether the rules want to be flat at this time of the week."""
        return self.params.flat_over_weekend and in_weekend(self.now)

    @property
    def may_open(self) -> bool:
        """Return whether the clock lets a trade begin or grow: fresh bars, and the session if set.

        Bars are fresh while at most one is missing: an old breakout is not worth its price today.
        """
        age_ms = milliseconds(self.now) - (self.last_ms + self.bar_ms)
        if age_ms >= 2 * self.bar_ms or self.closed_for_weekend:
            return False
        return not self.params.session_only or in_session(self.now)

    def since(self, stamp_ms: int) -> NDArray[np.bool_]:
        """Return a mask of the bars that opened after `stamp_ms`."""
        return self.bars.opened_ms > stamp_ms

    def stop(self, direction: int, fills: tuple[float, ...], n: float) -> float:
        """Return the stop of a position bought at `fills`."""
        return position_stop(direction, fills, n, self.params.stop_n, self.params.add_step_n)

    def take_profit(self, direction: int, fills: tuple[float, ...]) -> float | None:
        """Return the price at which the profit is taken; None when the rules have none."""
        if not self.params.take_profit_percent:
            return None
        return fills[0] * (1 + direction * self.params.take_profit_percent / 100)


def usable_bars(view: InstrumentView, params: TurtleParameters) -> tuple[BarSeries | None, str]:
    """Return the newest bars the rules look at, or None and a note why nothing can be decided."""
    bars = view.bars.get(params.bar)
    if bars is None or len(bars) < params.minimum_bars:
        have = 0 if bars is None else len(bars)
        return None, f"{have} closed {params.interval} bars, {params.minimum_bars} needed"
    prices = np.stack((bars.open, bars.high, bars.low, bars.close))
    if not bool(np.isfinite(prices[:, -params.history_bars :]).all()):
        return None, f"a {params.interval} bar holds a price that is not a finite number"
    return bars.tail(params.history_bars), ""


def price_now(view: InstrumentView, bars: BarSeries) -> float:
    """Return the middle of the book, else the venue's mark, else the last close.

    In this order because weights become quantities at the middle of the book.
    """
    if view.book is not None and view.book.bids and view.book.asks:
        return view.book.mid
    if view.mark_price is not None and np.isfinite(view.mark_price) and view.mark_price > 0:
        return view.mark_price
    return float(bars.close[-1])
