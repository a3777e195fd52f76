"""What is asked of a backtest before its first number: that its input can be what it says it is.

Files and the lake were checked when they were read (`data.py`); a setting can also be made by hand.
"""

from __future__ import annotations

import numpy as np

from apps.exchanges.market_data.history.series import interval_text
from apps.strategies.backtest.bars import step_ms
from apps.strategies.backtest.setting import Market, Setting
from apps.strategies.orchestrator.loader import Loaded
from apps.strategies.parameters import parameters_of
from moondev.domain.clock import from_milliseconds
from moondev.domain.errors import InvalidValue

DAY_MS = 86_400_000


def require_sound(setting: Setting) -> None:
    """Raise InvalidValue, with what and where, for bars off the grid of their length and numbers that are none."""
    for market in setting.markets:
        _require_grid(market)
        _require_numbers(market)


def require_able(loaded: Loaded, setting: Setting) -> None:
    """Raise InvalidValue for parameters or a past with which this strategy can decide nothing.

    Parameters are held to their own model (a copy with other values is not checked when it is made); of every length
    of bar that the strategy looks at one at least must have closed.
    """
    parameters_of(type(loaded.parameters), dict(loaded.parameters))
    _require_any_bar(loaded, setting)


def doubts(loaded: Loaded, setting: Setting) -> tuple[str, ...]:
    """Return what makes some numbers wrong: bars that are missing, and a past shorter than the strategy asks for."""
    return tuple(doubt for market in setting.markets for doubt in (*_gaps(market), *_short(loaded, setting, market)))


def _require_grid(market: Market) -> None:
    bars = market.recorded.bars
    # Bars longer than a day begin with one, not with a multiple of their own length.
    off = bars.opened_ms % min(step_ms(bars.interval), DAY_MS)
    if bool(off.any()):
        row = int(np.flatnonzero(off)[0])
        where = f"{_when(int(bars.opened_ms[row]))} in row {row}"
        raise InvalidValue(f"bars of {market.key}", where, f"stamps on the grid of {interval_text(bars.interval)}")


def _require_numbers(market: Market) -> None:
    bars = market.recorded.bars
    # Of the prices a bar without end is all that a series of bars does not refuse by itself.
    for name, column in (("high", bars.high), ("volume", bars.volume)):
        wrong = ~(np.isfinite(column) & (column >= 0))
        if bool(wrong.any()):
            row = int(np.flatnonzero(wrong)[0])
            raise InvalidValue(f"{name} of {market.key}", f"{column[row]} in row {row}", "a number of 0 or more")


def _require_any_bar(loaded: Loaded, setting: Setting) -> None:
    for market in setting.markets:
        for interval, (have, wanted) in _counts(loaded, setting, market).items():
            if not have:
                told = f"{len(market.recorded.bars)} bars of {interval_text(setting.interval)}"
                raise InvalidValue(
                    f"bars of {market.key}", told,
                    f"enough for one bar of {interval}; {loaded.strategy.name} asks for {wanted}",
                )  # fmt: skip


def _short(loaded: Loaded, setting: Setting, market: Market) -> list[str]:
    return [
        f"TOO_LITTLE_HISTORY: {market.key} has {have} bars of {interval}, {loaded.strategy.name} asks for {wanted}"
        for interval, (have, wanted) in _counts(loaded, setting, market).items()
        if have < wanted
    ]


def _counts(loaded: Loaded, setting: Setting, market: Market) -> dict[str, tuple[int, int]]:
    """Return how many bars of each length wanted there can be at most, and how many are wanted."""
    needs = loaded.strategy.needs(loaded.parameters, tuple(setting.instruments.values()))
    if market.key not in needs.instruments:
        return {}
    bars = market.recorded.bars
    return {
        interval_text(length): (int(len(bars) * bars.interval // length), wanted)
        for length, wanted in needs.bars.items()
        if wanted and length >= bars.interval
    }


def _gaps(market: Market) -> list[str]:
    bars, known = market.recorded.bars, market.recorded.source.warnings
    if any(warning.startswith("GAP") for warning in known):
        return []
    steps = np.diff(bars.opened_ms) // step_ms(bars.interval)
    holes = np.flatnonzero(steps > 1)
    if not len(holes):
        return []
    missing = int((steps[holes] - 1).sum())
    return [f"GAP: {missing} bars of {market.key} missing, first after {_when(int(bars.opened_ms[holes[0]]))}"]


def _when(stamp_ms: int) -> str:
    return f"{from_milliseconds(stamp_ms):%Y-%m-%d %H:%M:%S}"
