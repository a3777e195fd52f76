"""What a strategy would be shown at some close of the past, and what it decides on it when it holds nothing."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace
from datetime import datetime

import numpy as np

from apps.strategies.backtest.bars import step_ms
from apps.strategies.backtest.honesty.warm_up import needs_of
from apps.strategies.backtest.replaying.books import book_around
from apps.strategies.backtest.replaying.tracks import Track
from apps.strategies.backtest.setting import Setting
from apps.strategies.base import Decision, OwnPosition
from apps.strategies.orchestrator.loader import Loaded
from moondev.domain.clock import milliseconds
from moondev.domain.errors import InvalidValue
from moondev.domain.market_data import InstrumentView, MarketView


class Views:
    """Goes through a past and shows it as the replay does; what is shown hangs on the arrays of the whole past."""

    def __init__(self, loaded: Loaded, setting: Setting) -> None:
        """Stand before the first bar. Raises InvalidValue for bars that the recorded ones cannot make."""
        self._loaded, self._setting = loaded, setting
        self._needs = needs_of(loaded, setting)
        self._tracks = [Track(market, self._needs.bars) for market in setting.markets]
        self._closes = {
            market.key: market.recorded.bars.opened_ms + step_ms(setting.interval) for market in setting.markets
        }

    def at(self, moment: datetime, windows: int = 1) -> MarketView:
        """Return what is seen at `moment`, with `windows` times the bars that the strategy asks for.

        Moments only go forward: one before the last is shown as the last.
        """
        for track in self._tracks:
            track.skips(int(np.searchsorted(self._closes[track.key], milliseconds(moment), side="right")))
        return MarketView(moment, {track.key: self._seen(track, moment, windows) for track in self._tracks})

    def decide(self, view: MarketView) -> Decision:
        """Return what the strategy wants when it holds nothing, remembers nothing and sees `view`.

        Raises InvalidValue when it raises.
        """
        own = OwnPosition({}, float(self._setting.capital), float(self._setting.leverage))
        parameters, instruments = self._loaded.parameters, dict(self._setting.instruments)
        try:
            return self._loaded.strategy.decide(view, own, parameters, {}, instruments)
        except Exception as error:  # a strategy may raise anything
            raise InvalidValue(f"decide at {view.now:%Y-%m-%d %H:%M}", repr(error), "a decision") from error

    def _seen(self, track: Track, moment: datetime, windows: int) -> InstrumentView:
        shown = {
            interval: track.history.window(interval, track.row, count * windows)
            for interval, count in self._needs.bars.items()
        }
        return InstrumentView(
            bars={interval: bars for interval, bars in shown.items() if len(bars)},
            book=book_around(track, moment) if self._needs.book else None,
            mark_price=track.price,
            age=track.age(milliseconds(moment)),
            funding_rate=track.funding_rate,
        )


def cut_off(view: MarketView) -> MarketView:
    """Return the same view on copies of its bars: nothing outside of them can be reached from it."""
    seen: Mapping[str, InstrumentView] = {
        key: replace(one, bars={interval: deepcopy(bars) for interval, bars in one.bars.items()})
        for key, one in view.instruments.items()
    }
    return replace(view, instruments=seen)
