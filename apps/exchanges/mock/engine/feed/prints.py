"""Recorded candles and trades as one stream of prints."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from random import Random
from typing import NamedTuple

import numpy as np

from apps.exchanges.mock.engine.bars import MINUTE_MS, Bar, interval_ms
from apps.exchanges.mock.engine.feed.recording import Columns, Recording
from apps.exchanges.mock.engine.grid import Grid
from moondev.domain.clock import milliseconds

_MIN_STEPS, _MAX_STEPS = 24, 240
_MS_PER_STEP = 1_000
# How far the path strays from straight lines between the four prices, as a share of the range.
_WANDER = 0.08


class Print(NamedTuple):
    """One trade in whole units; `is_buy` is the aggressor's side. Size 0 only shows a price."""

    time_ms: int
    px: int
    size: int
    is_buy: bool


@dataclass(frozen=True, slots=True)
class Candle:
    """One recorded bar in float prices."""

    open: float
    high: float
    low: float
    close: float


def steps_in(length_ms: int) -> int:
    """Return into how many prints a bar of this length is cut."""
    return min(max(length_ms // _MS_PER_STEP, _MIN_STEPS), _MAX_STEPS)


def path_of(candle: Candle, steps: int, rng: Random) -> list[float]:
    """Return `steps` prices from open to close that touch high and low, each exactly.

    A rising bar visits the low first, a falling one the high: the common convention of bar replays.
    """
    rising = candle.close >= candle.open
    first, second = (candle.low, candle.high) if rising else (candle.high, candle.low)
    one = round(steps * rng.uniform(0.15, 0.45))
    two = round(steps * rng.uniform(0.55, 0.85))
    knots = [(0, candle.open), (one, first), (two, second), (steps - 1, candle.close)]
    wander = _WANDER * (candle.high - candle.low)
    path = [candle.open] * steps
    for (left, start), (right, end) in pairwise(knots):
        for step in range(left + 1, right):
            straight = start + (end - start) * (step - left) / (right - left)
            path[step] = min(max(straight + rng.uniform(-wander, wander), candle.low), candle.high)
        path[right] = end
    return path


def shared_out(total: int, parts: int, rng: Random) -> list[int]:
    """Return `parts` random whole numbers that add up to `total`."""
    weights = [rng.expovariate(1.0) for _ in range(parts)]
    whole = sum(weights)
    sizes = [int(total * weight / whole) for weight in weights]
    sizes[-1] += total - sum(sizes)
    return sizes


def candle_prints(columns: Columns, recording: Recording, grid: Grid, rng: Random) -> Iterator[Print]:
    """Yield the prints of every bar after the history."""
    length_ms = interval_ms(recording.interval or "")
    steps, times = steps_in(length_ms), columns.times_ms
    for row in range(recording.history_bars, len(times)):
        yield from _bar_prints(columns, row, int(times[row]), length_ms / steps, steps, grid, rng)


def _bar_prints(
    columns: Columns, row: int, open_ms: int, step_ms: float, steps: int, grid: Grid, rng: Random
) -> Iterator[Print]:
    candle = Candle(*(float(columns[name][row]) for name in ("open", "high", "low", "close")))
    path = [grid.nearest(price) for price in path_of(candle, steps, rng)]
    sizes = shared_out(_volume(columns, row, grid), steps, rng)
    before = path[0]
    is_buy = candle.close >= candle.open
    for step, (px, size) in enumerate(zip(path, sizes, strict=True)):
        is_buy = px > before if px != before else is_buy
        yield Print(open_ms + int(step * step_ms), px, size, is_buy)
        before = px


def candle_history(columns: Columns, recording: Recording, grid: Grid) -> list[Bar]:
    """Return the bars before the start."""
    times = columns.times_ms
    trades = steps_in(interval_ms(recording.interval or ""))
    return [_bar(columns, row, int(times[row]), trades, grid) for row in range(recording.history_bars)]


def _bar(columns: Columns, row: int, open_ms: int, trades: int, grid: Grid) -> Bar:
    opened, high, low, close = (grid.nearest(float(columns[name][row])) for name in ("open", "high", "low", "close"))
    return Bar(open_ms, opened, high, low, close, _volume(columns, row, grid), trades)


def trade_prints(columns: Columns, recording: Recording, grid: Grid) -> Iterator[Print]:
    """Yield every recorded trade after the history."""
    times = columns.times_ms
    for row in range(int(np.searchsorted(times, milliseconds(recording.start))), len(times)):
        yield _trade(columns, row, int(times[row]), grid)


def trade_history(columns: Columns, recording: Recording, grid: Grid) -> list[Bar]:
    """Return 1m bars of the trades before the start; minutes without a trade are flat."""
    times, bars = columns.times_ms, list[Bar]()
    for row in range(int(np.searchsorted(times, milliseconds(recording.start)))):
        trade = _trade(columns, row, int(times[row]), grid)
        open_ms = trade.time_ms - trade.time_ms % MINUTE_MS
        while bars and bars[-1].open_ms + MINUTE_MS < open_ms:
            close = bars[-1].close
            bars.append(Bar(bars[-1].open_ms + MINUTE_MS, close, close, close, close))
        if not bars or bars[-1].open_ms < open_ms:
            bars.append(Bar(open_ms, trade.px, trade.px, trade.px, trade.px))
        bars[-1].print(trade.px, trade.size)
    return bars if recording.history_bars else []


def _trade(columns: Columns, row: int, time_ms: int, grid: Grid) -> Print:
    size = round(float(columns["amount"][row]) * grid.size_unit)
    return Print(time_ms, grid.nearest(float(columns["price"][row])), max(0, size), columns["side"][row] == "buy")


def _volume(columns: Columns, row: int, grid: Grid) -> int:
    """Return a bar's volume in size units; a volume that was not recorded counts as none."""
    volume = columns["volume"][row]
    number = float("nan") if volume is None else float(volume)
    return round(number * grid.size_unit) if number > 0 else 0
