"""The consolidation pop: trade the ends of a quiet range, or the close that leaves it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

from apps.strategies.base import Decision, OwnPosition, Parameters, State, Strategy
from apps.strategies.library.bracketed.trading import decided
from apps.strategies.library.popping.columns import pop_signals
from apps.strategies.library.popping.parameters import BREAKOUT, CANONICAL, FAST, ORIGINAL, PopParameters
from apps.strategies.library.popping.rules import BreakoutRules, FadeRules
from apps.strategies.signals import Past, Signals
from moondev.domain.instruments import Instrument
from moondev.domain.market_data import MarketView, Needs


class ConsolidationPop(Strategy[PopParameters]):
    """Wait for a narrow range, then fade its ends for a small move or follow its break for a whole range.

    Sources: J. Bollinger, "Bollinger on Bollinger Bands", 2001 (the squeeze); T. Crabel, "Day Trading
    with Short Term Price Patterns", 1990; R. Edwards and J. Magee, "Technical Analysis of Stock
    Trends", 1948 (the measured move).
    """

    name: ClassVar[str] = "consolidation_pop"
    parameters: ClassVar[type[Parameters]] = PopParameters
    presets: ClassVar[Mapping[str, Parameters]] = MappingProxyType(
        {"canonical": CANONICAL, "breakout": BREAKOUT, "original": ORIGINAL, "fast": FAST}
    )

    def needs(self, params: PopParameters, instruments: tuple[Instrument, ...]) -> Needs:
        """Return the bars of every instrument, and its book for sizing."""
        keys = tuple(instrument.key for instrument in instruments)
        return Needs(keys, {params.bar: params.window.most}, book=True)

    def decide(
        self,
        view: MarketView,
        own: OwnPosition,
        params: PopParameters,
        state: State,
        instruments: Mapping[str, Instrument],
    ) -> Decision:
        """Return one target per instrument that has bars enough; the others are left alone."""
        rules = FadeRules(params) if params.mode == "fade" else BreakoutRules(params)
        return decided(view, own, params, state, instruments, rules, params.window)

    def signals(
        self,
        past: Mapping[str, Past],
        params: PopParameters,
        instruments: Mapping[str, Instrument],
        leverage: float,  # noqa: ARG002  a trade takes a fixed share
    ) -> Mapping[str, Signals]:
        """Return the columns of each market by itself."""
        return {key: pop_signals(past[key], params) for key in instruments}
