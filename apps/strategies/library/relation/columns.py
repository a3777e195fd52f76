"""Followers over a whole past at once: the same rules as for one bar, asked wherever the leader has moved."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from apps.strategies.indicators.wilder import average_true_range_within
from apps.strategies.library.bracketed.columns import Calls, signals_of
from apps.strategies.library.relation.alignment import Together
from apps.strategies.library.relation.leading import broken, goal_of, lagging, leader_signals, stop_of
from apps.strategies.library.relation.parameters import CorrelationParameters
from apps.strategies.signals import Past, Signals
from moondev.domain.market_data import BarSeries, Column


def follower_signals(past: Past, leader: Past, params: CorrelationParameters) -> Signals:
    """Return what `LeadLagRules` would answer for one follower at every close of `past`."""
    bars, leading = past.bars(params.bar), leader.bars(params.bar)
    pair = _Pair(bars, leading, params)
    directions, lags = _entries(bars, pair, params)
    calls = Calls(
        directions=directions,
        prices=bars.close,
        stops=pair.stops(directions),
        targets=np.array([goal_of(*row, params) for row in zip(directions, bars.close, lags, strict=True)]),
        strengths=lags,
        hold_bars=np.full(len(bars), params.max_hold_bars),
        rests=params.entry == "limit",
        follows_fill=params.take_profit_percent > 0,
        ending=pair,
    )
    return signals_of(past, calls, params, params.minimum_bars)


class _Pair:
    """One follower beside its leader, on the bars that both have."""

    def __init__(self, bars: BarSeries, leading: BarSeries, params: CorrelationParameters) -> None:
        """Lay the two side by side."""
        self._params, window = params, params.history_bars
        self.bars = bars
        stamps, of_y, of_x = np.intersect1d(bars.opened_ms, leading.opened_ms, assume_unique=True, return_indices=True)
        self._stamps, self._y, self._x = stamps, np.log(bars.close[of_y]), np.log(leading.close[of_x])
        # For each bar of the follower: the newest of the leader, and its own place among the common ones (-1: none).
        self._newest = np.searchsorted(leading.opened_ms, bars.opened_ms, side="right") - 1
        self._common = np.full(len(bars), -1)
        self._common[of_y] = np.arange(len(stamps))
        moved = leader_signals(leading, params, window)
        moved[: params.minimum_bars - 1] = 0.0
        self.moved = np.where(self._newest >= 0, moved[self._newest], 0.0)
        self._starts = _window_starts(bars, leading, self._newest, window)
        self._average = average_true_range_within(bars.high, bars.low, bars.close, params.atr_bars, window)
        self._agreements: dict[int, bool] = {}

    def at(self, row: int) -> Together | None:
        """Return both on the common bars of their windows at the close of `row`; None where they do not match."""
        last = int(self._common[row])
        first = int(np.searchsorted(self._stamps, self._starts[row]))
        if last < 0 or last + 1 - first < self._params.minimum_bars:
            return None
        part = slice(first, last + 1)
        return Together(self._stamps[part], self._y[part], self._x[part])

    def stops(self, directions: Column) -> Column:
        """Return the stop of an entry at each close."""
        rows = zip(directions, self.bars.close, self._average, strict=True)
        return np.array([stop_of(*row, self._params) for row in rows])

    def first(self, signalled: int, direction: int, since: int) -> int | None:
        """Return the first bar from `since` on at which the leader turned or the relation is broken."""
        held = self._params.max_hold_bars
        end = min(len(self.bars), signalled + held + 1) if held else len(self.bars)
        for row in range(since, end):
            if self.moved[row] == -direction or self._broken(row):
                return row
        return None

    def _broken(self, row: int) -> bool:
        if self._params.exit_correlation <= -1:
            return False
        if row not in self._agreements:
            pair = self.at(row)
            agreement = np.nan if pair is None else pair.agreement(self._params.correlation_bars)
            self._agreements[row] = broken(agreement, self._params)
        return self._agreements[row]


def _entries(bars: BarSeries, pair: _Pair, params: CorrelationParameters) -> tuple[Column, Column]:
    """Return the direction of each bar that calls for a trade, and how far it lags (0 where it does not)."""
    directions, lags = np.zeros(len(bars)), np.zeros(len(bars))
    for row in np.flatnonzero(pair.moved).tolist():
        together, direction = pair.at(row), int(pair.moved[row])
        if together is None or not bars.volume[row] > 0:
            continue
        lag, _ = lagging(together, direction, params)
        if lag is not None:
            directions[row], lags[row] = direction, lag
    stops = pair.stops(directions)
    impossible = ~(stops > 0) | (stops == bars.close)
    return np.where(impossible, 0.0, directions), lags


def _window_starts(bars: BarSeries, leading: BarSeries, newest: NDArray[np.int64], window: int) -> NDArray[np.int64]:
    """Return from which stamp on both windows show their market, for each bar of the follower."""
    own = bars.opened_ms[np.maximum(np.arange(len(bars)) - window + 1, 0)]
    other = leading.opened_ms[np.maximum(newest - window + 1, 0)]
    return np.maximum(own, other)
