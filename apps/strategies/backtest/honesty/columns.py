"""The same signals from a past that ends earlier: the columns of a strategy that tells its signals all at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

import numpy as np

from apps.strategies.backtest.cuts import opened_between
from apps.strategies.backtest.history import History
from apps.strategies.backtest.honesty.difference import differing
from apps.strategies.backtest.honesty.warm_up import needs_of
from apps.strategies.backtest.replaying.timeline import intervals_of
from apps.strategies.backtest.setting import Setting
from apps.strategies.orchestrator.loader import Loaded
from apps.strategies.signals import Signals
from moondev.domain.clock import from_milliseconds

COLUMNS = ("weights", "prices", "limits", "stops", "targets", "strengths")


def changing_columns(loaded: Loaded, setting: Setting, ends: Iterable[datetime]) -> list[str]:
    """Return for each end the first bar of which another signal is told when the past goes on after it."""
    whole = _signals(loaded, setting)
    if not whole:
        return []
    found = []
    for end in ends:
        part = opened_between(setting, None, end)
        told = _signals(loaded, part) or {}
        for market in part.markets:
            if market.key in whole:
                opened = market.recorded.bars.opened_ms
                apart = _first_apart(told.get(market.key), whole[market.key], len(opened))
                if apart is not None:
                    row, words = apart
                    when = from_milliseconds(int(opened[row]))
                    found.append(
                        f"for the bar of {when:%Y-%m-%d %H:%M} of {market.key} {words} when what follows "
                        f"{end:%Y-%m-%d %H:%M} is known"
                    )
    return found


def _signals(loaded: Loaded, setting: Setting) -> Mapping[str, Signals] | None:
    intervals = intervals_of(needs_of(loaded, setting), setting.interval)
    histories = {market.key: History(market.recorded.bars, intervals) for market in setting.markets}
    return loaded.strategy.signals(histories, loaded.parameters, setting.instruments, float(setting.leverage))


def _first_apart(part: Signals | None, whole: Signals, count: int) -> tuple[int, str] | None:
    if part is None:
        return count - 1, "no signals are told, but some are"
    found = []
    for name in COLUMNS:
        mine, theirs = getattr(part, name), getattr(whole, name)[:count]
        rows = np.flatnonzero(differing(mine, theirs))
        if len(rows):
            row = int(rows[0])
            found.append((row, f"{name} are {mine[row]:.6g}, but {theirs[row]:.6g}"))
    return min(found, default=None)
