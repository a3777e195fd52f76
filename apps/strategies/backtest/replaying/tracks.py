"""One market under replay: its bars as plain numbers, where it stands, and what is held and works in it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from apps.risk.sizing.returns import Returns
from apps.strategies.backtest.bars import step_ms
from apps.strategies.backtest.costs import BPS
from apps.strategies.backtest.history import History
from apps.strategies.backtest.replaying.matching import Path
from apps.strategies.backtest.replaying.orders import Standing
from apps.strategies.backtest.replaying.tape import Tape
from apps.strategies.backtest.setting import Market
from moondev.domain.market_data import Column
from moondev.domain.orders import Purpose
from moondev.domain.portfolio import Holding
from moondev.domain.values import Price, Quantity, Side

HOUR_MS = 3_600_000
# How many bars are looked at at once for a touch: most come soon.
LOOK = 256


class Track:
    """One market as the replay goes through it.

    `row` counts the bars that have closed; while a bar is under way it is that bar's number. `price` is the newest
    price, None before the first, `priced_ms` when it was heard.
    """

    def __init__(self, market: Market, intervals: Iterable[timedelta]) -> None:
        """Stand before the first bar. Raises InvalidValue as `History` does."""
        self.market = market
        self.key, self.instrument, self.costs = market.key, market.instrument, market.costs
        self.history = History(market.recorded.bars, intervals)
        bars = self.history.base
        self._opens, self._highs = bars.open.tolist(), bars.high.tolist()
        self._stamps = bars.opened_ms.tolist()
        self._lows, self._closes = bars.low.tolist(), bars.close.tolist()
        self.half_spread = self.costs.spread_bps / 2 * BPS
        self.row = 0
        self.price: float | None = None
        self.priced_ms = 0
        self.path: Path | None = None
        self.ended = True
        self.holding = Holding()
        self.orders: dict[UUID, Standing] = {}
        self.tape = Tape()
        self.trades = Returns()
        # The bar at whose close what is held or being entered was called for; None when nobody knows.
        self.signal_row: int | None = None
        self._carried = 0
        self._step_ms = step_ms(bars.interval)
        self._carry = _carry_of(market)

    def opens(self, opened_ms: int) -> None:
        """Begin the next bar."""
        row = self.row
        self.path = Path(self._opens[row], self._highs[row], self._lows[row], self._closes[row])
        self.price, self.priced_ms, self.ended = self.path.price, opened_ms, False

    def __len__(self) -> int:
        """Return the number of bars."""
        return len(self._closes)

    def opened_at(self, stamp_ms: int) -> bool:
        """Return whether the next bar is the one that opened at `stamp_ms`."""
        return self.row < len(self._closes) and self._stamps[self.row] == stamp_ms

    @property
    def direction(self) -> int:
        """Return 1 while long, -1 while short, 0 while flat."""
        return (self.holding.quantity > 0) - (self.holding.quantity < 0)

    @property
    def guarded(self) -> bool:
        """Return whether nothing works but orders that protect what is held, and those rest."""
        orders = self.orders.values()
        return all(order.order.purpose is Purpose.PROTECTIVE and order.arrived is not None for order in orders)

    def first_touch(self, start: int, end: int, near: float) -> int | None:
        """Return the first row of [start, end) in which an order arrives or the market comes near one; None for none.

        Near is within the share `near` of its level, and a step of the grid: levels are rounded on their way, and the
        strategy looks at its own. A row too many is only looked at in vain.
        """
        if start >= end or any(order.arrived is None for order in self.orders.values()):
            return start if start < end else None
        bars, orders = self.history.base, self.orders.values()
        grid = self.instrument.price_grid
        steps = [(order, order.level * near + float(grid.step_at(exact(order.level)))) for order in orders]
        lowest = max((order.level + step for order, step in steps if order.falls), default=-np.inf)
        highest = min((order.level - step for order, step in steps if not order.falls), default=np.inf)
        while start < end:
            stop = min(start + LOOK, end)
            touches = (bars.low[start:stop] <= lowest) | (bars.high[start:stop] >= highest)
            found = int(touches.argmax())
            if touches[found]:
                return start + found
            start = stop
        return None

    def moves(self, path: Path) -> None:
        """Go on within the bar."""
        self.path, self.price = path, path.price

    def closes(self, closed_ms: int) -> None:
        """End the bar that is under way; what trades from now on trades at its close."""
        close = self._closes[self.row]
        self.path = Path(close, close, close, close)
        self.price, self.priced_ms, self.ended = close, closed_ms, True
        self.row += 1

    def skips(self, rows: int) -> None:
        """Go on to the moment at which `rows` bars have closed; nothing happens in those between."""
        if rows > self.row:
            self.row = rows - 1
            self.closes(int(self.history.base.opened_ms[rows - 1]) + self._step_ms)

    @property
    def price_value(self) -> Price | None:
        """Return the newest price as one of the order path; None before the first."""
        return None if self.price is None else Price(exact(self.price))

    def age(self, now_ms: int) -> timedelta:
        """Return how long ago the price was heard; `timedelta.max` before the first."""
        return timedelta.max if self.price is None else timedelta(milliseconds=now_ms - self.priced_ms)

    @property
    def volume(self) -> float:
        """Return what traded in the newest closed bar; 0 before the first."""
        return float(self.history.base.volume[self.row - 1]) if self.row else 0.0

    @property
    def funding_rate(self) -> float | None:
        """Return the newest funding rate that was paid by now, per hour; None when there is none."""
        rates = self.costs.funding
        known = 0 if rates is None else int(np.searchsorted(rates.times, self.priced_ms, side="right"))
        if rates is None or not known:
            return None
        before = max(known - 2, 0)
        hours = (int(rates.times[before + 1]) - int(rates.times[before])) / HOUR_MS if len(rates.times) > 1 else 1.0
        return float(rates.rates[known - 1]) / max(round(hours), 1)

    @property
    def paid_up(self) -> Holding:
        """Return the holding with all funding and borrowing up to the newest close."""
        if self._carried != self.row:
            if self.holding.quantity and self._carry is not None:
                funding, borrowing = self._carry_since(float(self.holding.quantity))
                self.holding = replace(
                    self.holding, funding=self.holding.funding + funding, fees=self.holding.fees + borrowing
                )
            self._carried = self.row
        return self.holding

    @property
    def earned(self) -> Decimal:
        """Return what has been realised here, fees and funding included."""
        return self.holding.realised + self.holding.funding - self.holding.fees

    def profits(self, rows: NDArray[np.int64]) -> Column:
        """Return what this market has earned by the closes of bars `rows`, none of them before the newest fill."""
        held, holding = float(self.holding.quantity), self.holding
        settled = float(self.earned - holding.cost)
        earned: Column = settled + held * self.history.base.close[rows]
        if self._carry is not None:
            funding, worth = self._carry
            earned -= held * (funding[rows + 1] - funding[self._carried])
            earned -= max(-held, 0.0) * (worth[rows + 1] - worth[self._carried])
        return earned

    def fill(self, order: Standing, quantity: Decimal, price: float, *, made: bool) -> bool:
        """Trade `quantity` of `order` at a market of `price` and return True; False when costs make it too dear.

        A market order never pays more than its worst price, a limit never more than its limit.
        """
        row = self.row - self.ended
        change = order.sign * float(quantity)
        paid = price if made else self._taken(price, change, row)
        if not made and order.order.trigger_price is None and (paid - order.level) * order.sign > 0:
            if order.immediate:
                return False
            price, paid = price * order.level / paid, order.level
        fee = quantity_fee(change, paid, self.costs.maker_bps if made else self.costs.taker_bps)
        side = Side.BUY if order.sign > 0 else Side.SELL
        before = self.paid_up
        self.holding = before.filled(side, Quantity(quantity), Price(exact(paid)), exact(fee))
        self.trades.saw(before, self.holding)
        self.tape.add(row, change, price, made=made, at_close=self.ended, reason=order.reason)
        return True

    def _taken(self, price: float, change: float, row: int) -> float:
        volume = self.history.base.volume[row : row + 1]
        return float(self.costs.taken_price(np.array([price]), np.array([change]), volume)[0])

    def _carry_since(self, held: float) -> tuple[Decimal, Decimal]:
        if self._carry is None:
            return Decimal(0), Decimal(0)
        funding, worth = self._carry
        begun, now = self._carried, self.row
        received = -held * float(funding[now] - funding[begun])
        borrowed = max(-held, 0.0) * float(worth[now] - worth[begun])
        return exact(received), exact(borrowed)


def quantity_fee(change: float, paid: float, bps: float) -> float:
    """Return the venue's fee of a fill; a rebate is below zero."""
    return abs(change) * paid * (bps * BPS)


def exact(number: float) -> Decimal:
    """Return the decimal that this float stands for."""
    return Decimal(repr(float(number)))


def _carry_of(market: Market) -> tuple[Column, Column] | None:
    """Return what one long unit paid in funding and one short unit to lenders before each bar; None for nothing."""
    bars, costs = market.recorded.bars, market.costs
    if costs.funding is None and not costs.borrow_per_year:
        return None
    step = step_ms(bars.interval)
    rates = np.zeros(len(bars)) if costs.funding is None else costs.funding.per_bar(bars.opened_ms, step)
    short = costs.borrowed(np.full(len(bars), -1.0), bars.close, step)
    return (
        np.concatenate(([0.0], np.cumsum(rates * bars.close))),
        np.concatenate(([0.0], np.cumsum(short))),
    )
