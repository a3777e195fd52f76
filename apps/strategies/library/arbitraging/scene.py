"""The markets as the arbitrageur sees them in one tick."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations
from math import lcm

from apps.strategies.base import OwnPosition
from apps.strategies.library.amounts import exact, price_of, quantity_of
from apps.strategies.library.arbitraging.depth import BPS_IN_ONE, Costs
from apps.strategies.library.arbitraging.parameters import ArbitrageParameters
from moondev.domain.clock import milliseconds
from moondev.domain.instruments import Instrument
from moondev.domain.market_data import Book, MarketView


@dataclass(frozen=True, slots=True)
class Scene:
    """One tick: the view, what is held, the rules."""

    view: MarketView
    own: OwnPosition
    params: ArbitrageParameters
    instruments: Mapping[str, Instrument]

    @property
    def now_ms(self) -> int:
        """Return the time of the tick in milliseconds UTC."""
        return milliseconds(self.view.now)

    @property
    def allocation(self) -> float:
        """Return the notional that weight 1 stands for."""
        return self.own.equity * self.own.leverage

    def book(self, key: str) -> Book | None:
        """Return a two-sided book, however old; None when there is none."""
        seen = self.view.instruments.get(key)
        book = seen.book if seen is not None else None
        return book if book is not None and book.bids and book.asks else None

    def fresh_book(self, key: str) -> Book | None:
        """Return a two-sided book that is young enough to open on."""
        seen = self.view.instruments.get(key)
        if seen is None or seen.age.total_seconds() > self.params.max_data_age_seconds:
            return None
        return self.book(key)

    def funding(self, key: str) -> float | None:
        """Return the funding rate as a share of the notional per hour; None when it has not been heard."""
        seen = self.view.instruments.get(key)
        return None if seen is None else seen.funding_rate

    def held(self, key: str) -> float:
        """Return the signed holding in base units; less than a lot is nothing."""
        quantity = float(self.own.holding(key).quantity)
        return quantity if abs(quantity) >= float(self.instruments[key].lot.value) else 0.0

    def fee(self, key: str) -> float:
        """Return the taker fee of an instrument's venue as a share."""
        return self.params.fee_bps(self.instruments[key].venue) / BPS_IN_ONE

    def costs(self, buy: str, sell: str) -> Costs:
        """Return what it takes to buy in one instrument and sell in the other."""
        return Costs(self.fee(buy), self.fee(sell), self.params.slippage_bps / BPS_IN_ONE)

    def in_step(self, one: Book, other: Book) -> bool:
        """Return whether two books were received together. By our clock: venues' clocks differ by a second and more."""
        apart = abs((one.time_received - other.time_received).total_seconds())
        return apart <= self.params.max_book_gap_seconds


def pairs(instruments: Mapping[str, Instrument]) -> tuple[list[tuple[str, str]], list[str]]:
    """Return the pairs of one asset, and a note on each that is not one thing in one currency.

    USDT, USDC and USD are different money: their difference is a basis, not a profit.
    """
    found, notes = [], []
    for one, other in combinations(instruments.values(), 2):
        if one.asset != other.asset:
            continue
        if one.quote == other.quote:
            found.append((one.key, other.key))
        else:
            notes.append(f"{one.key} and {other.key}: {one.quote} is not {other.quote}; not compared")
    return found, notes


def can_be_short(instrument: Instrument) -> bool:
    """Return whether more can be sold than is held: not at a spot market, which lends nothing."""
    return instrument.max_leverage > 1


def common_lots(quantity: float, one: Instrument, other: Instrument) -> float:
    """Return `quantity` floored to what both instruments can hold exactly."""
    step = _common_step(one.lot.value, other.lot.value)
    # A hair is added before flooring: three tenths are three lots, not two because floats end in ...9996.
    return float(exact(quantity * (1 + 1e-12)) // step * step)


def tradable(quantity: float, price: float, instrument: Instrument) -> bool:
    """Return whether the venue takes an order of `quantity`."""
    return quantity > 0 and instrument.tradable(quantity_of(quantity), price_of(price))


def weight_of(quantity: float, mid: float, instrument: Instrument, allocation: float) -> float:
    """Return the weight that the planner, who floors to lots, turns into exactly `quantity`."""
    return (quantity + float(instrument.lot.value) / 2) * mid / allocation


def _common_step(one: Decimal, other: Decimal) -> Decimal:
    places = max(0, -min(int(one.as_tuple().exponent), int(other.as_tuple().exponent)))
    scale = Decimal(10) ** places
    return Decimal(lcm(int(one * scale), int(other * scale))) / scale
