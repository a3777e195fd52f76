"""One market with its signals: prices to read one by one, the venue's grid, and when the strategy looks."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import cast

import numpy as np
from numpy.typing import NDArray

from apps.strategies.backtest.bars import step_ms
from apps.strategies.backtest.costs import BPS, FixedSlippage
from apps.strategies.backtest.fills import FillRule
from apps.strategies.backtest.history import History
from apps.strategies.backtest.setting import Market, Setting
from apps.strategies.signals import Signals, next_of
from moondev.domain.instruments import Rounding
from moondev.domain.market_data import BarSeries, Column
from moondev.domain.values import Side

NEVER_MS = 2**62


class Untold(Exception):
    """What comes of a signal depends on more than its columns tell; the replay can say."""


class Lane:
    """What every trade in one market is computed from.

    `asked_ms` are the moments at which the strategy ticks, in every market at once; `alone` that there is no other.
    """

    def __init__(
        self,
        market: Market,
        history: History,
        signals: Signals,
        asked_ms: NDArray[np.int64],
        setting: Setting,
        *,
        alone: bool,
    ) -> None:
        """Read `signals` of `market` under the rules of `setting`."""
        bars = history.base
        self.market, self.signals, self.bars, self._count = market, signals, bars, len(bars)
        self.instrument, self.costs, self.key = market.instrument, market.costs, market.key
        self.opens, self.highs, self.lows, self.closes = map(_read, (bars.open, bars.high, bars.low, bars.close))
        self.weights, self.prices, self.limits = map(_read, (signals.weights, signals.prices, signals.limits))
        self.opened_ms = np.ascontiguousarray(bars.opened_ms)
        self.closed_ms = bars.opened_ms + step_ms(bars.interval)
        self.at_close = setting.rule is FillRule.BAR_CLOSE
        self.slippage, self.reprice_bps = float(setting.slippage_bps) * BPS, float(setting.reprice_bps)
        self.half_spread = market.costs.spread_bps / 2 * BPS
        fixed = market.costs.slippage if isinstance(market.costs.slippage, FixedSlippage) else None
        self._worse = None if fixed is None else market.costs.spread_bps / 2 + fixed.amount_bps
        self.moves = np.diff(bars.close, prepend=bars.close[:1])
        self.carried = _carried(market, bars)
        self.lot, self.min_notional = float(self.instrument.lot.value), float(self.instrument.min_notional.value)
        self._asked_ms, self._alone = asked_ms, alone
        self._seen = np.flatnonzero(signals.seen)
        ticks = _among(self.closed_ms, asked_ms)
        self.looks = np.flatnonzero(signals.seen & ticks)
        self.ticks = np.flatnonzero(ticks)
        self.called = np.flatnonzero((signals.weights != 0) & signals.seen & ticks)

    def __len__(self) -> int:
        """Return the number of bars."""
        return self._count

    def look(self, row: int) -> int:
        """Return the first row from `row` on at whose close the strategy sees a new bar; the end when there is none."""
        found = next_of(self.looks, row)
        return len(self) if found is None else found

    def tick(self, row: int) -> int:
        """Return the first row from `row` on at whose close the strategy ticks; the end when there is none."""
        found = next_of(self.ticks, row)
        return len(self) if found is None else found

    def free_after(self, row: int, *, at_close: bool) -> int:
        """Return the first row whose signal counts after a trade ended at the venue in bar `row`, or at its close.

        The strategy's bar that was under way then calls for no other.
        """
        newest = self.newest_seen(row, at_close=at_close)
        return self.row_closed_at(int(self.closed_ms[newest]) + self.signals.bar_ms + 1)

    def newest_seen(self, row: int, *, at_close: bool) -> int:
        """Return the row that closed the strategy's newest bar while bar `row` is under way, or at its close."""
        seen = self._seen.data
        return int(seen[bisect_left(seen, row + at_close) - 1])

    def expiry(self, row: int) -> int:
        """Return the moment of the tick at which the strategy gives up an entry that was called for at `row`."""
        if self.signals.valid_ms is None:
            seen = self.look(row + 1)
            return int(self.closed_ms[seen]) if seen < len(self) else NEVER_MS
        found = next_of(self._asked_ms, int(self.closed_ms[row]) + self.signals.valid_ms)
        return NEVER_MS if found is None else found

    def row_opened_at(self, moment_ms: int) -> int:
        """Return the first row that opened at `moment_ms` or later."""
        return bisect_left(self.opened_ms.data, moment_ms)

    def row_closed_at(self, moment_ms: int) -> int:
        """Return the first row that closed at `moment_ms` or later."""
        return bisect_left(self.closed_ms.data, moment_ms)

    def passive(self, price: float, sign: int) -> float:
        """Return `price` on the grid for an order of `sign` that waits: never more aggressive."""
        return self._rounded(price, Rounding.passive(_side(sign)))

    def worst(self, mid: float, sign: int) -> float:
        """Return the worst price at which a market order of `sign` trades while the market is at `mid`."""
        return self._rounded(mid * (1 + sign * self.slippage), Rounding.aggressive(_side(sign)))

    def miss(self) -> None:
        """Note that the market ran away from an order.

        Raises Untold where another market's fill may make the strategy ask anew within the bar.
        """
        if not self._alone:
            raise Untold(f"{self.key}: an order at the market was not filled while other markets traded")

    def within_cap(self, paid: float, mid: float, sign: int) -> bool:
        """Return whether a market order of `sign` may pay `paid`, decided while the market was at `mid`."""
        # The grid only widens the cap: it need not be asked where the bare cap holds.
        return (paid - mid * (1 + sign * self.slippage)) * sign <= 0 or (paid - self.worst(mid, sign)) * sign <= 0

    def accepts(self, quantity: float, price: float) -> bool:
        """Return whether the venue takes an order of this size."""
        return quantity >= self.lot and quantity * price >= self.min_notional

    def fee(self, *, made: bool) -> float:
        """Return the venue's fee as a share of what is traded."""
        return (self.costs.maker_bps if made else self.costs.taker_bps) * BPS

    def paid(self, price: float, change: float, row: int, *, made: bool) -> float:
        """Return what a fill for `change` pays while the market is at `price`."""
        return price if made else self.taken(price, change, row)

    def taken(self, price: float, change: float, row: int) -> float:
        """Return what a market order for `change` pays while the market is at `price`."""
        if self._worse is not None:
            return price * (1 + math.copysign(1.0, change) * self._worse * BPS)
        one: Column = np.array([price])
        return float(self.costs.taken_price(one, np.array([change]), self.bars.volume[row : row + 1])[0])

    def _rounded(self, price: float, rounding: Rounding) -> float:
        return float(self.instrument.price_grid.rounded(Decimal(repr(price)), rounding).value)


def _carried(market: Market, bars: BarSeries) -> Mapping[int, Column] | None:
    """Return what one unit long (1) and one unit short (-1) times its sign gains by being held through each bar."""
    costs = market.costs
    if costs.funding is None and not costs.borrow_per_year:
        return None
    step, nothing = step_ms(bars.interval), np.zeros(len(bars))
    funding = nothing if costs.funding is None else -bars.close * costs.funding.per_bar(bars.opened_ms, step)
    return {1: funding, -1: funding + costs.borrowed(np.full(len(bars), -1.0), bars.close, step)}


def _read(column: Column) -> Sequence[float]:
    """Return the column as plain floats: single values of an array are slow to read."""
    return cast(Sequence[float], np.ascontiguousarray(column).data)


def _side(sign: int) -> Side:
    return Side.BUY if sign > 0 else Side.SELL


def _among(stamps: NDArray[np.int64], asked_ms: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which `stamps` are among `asked_ms`; both rise, so nothing need be sorted or hashed."""
    if not len(asked_ms):
        return np.zeros(len(stamps), dtype=bool)
    places = np.minimum(np.searchsorted(asked_ms, stamps), len(asked_ms) - 1)
    return np.asarray(asked_ms[places] == stamps)
