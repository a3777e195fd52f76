"""Mean reversion: fade a price that went too far from its mean, if the greater trend agrees."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

from apps.strategies.base import Decision, OwnPosition, Parameters, State, Strategy
from apps.strategies.library.bracketed.trading import decided
from apps.strategies.library.reversion.columns import reversion_signals
from apps.strategies.library.reversion.parameters import (
    BOLLINGER,
    CANONICAL,
    FAST,
    ORIGINAL,
    VWAP,
    ReversionParameters,
)
from apps.strategies.library.reversion.rules import ReversionRules
from apps.strategies.signals import Past, Signals
from moondev.domain.instruments import Instrument
from moondev.domain.market_data import MarketView, Needs


class MeanReversion(Strategy[ReversionParameters]):
    """Enter too far from the mean, leave near it, behind a stop and for a limited time.

    Sources: J. Bollinger, "Bollinger on Bollinger Bands", 2001; E. Chan, "Algorithmic Trading", 2013.
    """

    name: ClassVar[str] = "mean_reversion"
    parameters: ClassVar[type[Parameters]] = ReversionParameters
    presets: ClassVar[Mapping[str, Parameters]] = MappingProxyType(
        {"canonical": CANONICAL, "bollinger": BOLLINGER, "vwap": VWAP, "original": ORIGINAL, "fast": FAST}
    )

    def needs(self, params: ReversionParameters, instruments: tuple[Instrument, ...]) -> Needs:
        """Return the bars of every instrument, of each length the rules look at, and its book for sizing."""
        return Needs(tuple(instrument.key for instrument in instruments), params.needed, book=True)

    def decide(
        self,
        view: MarketView,
        own: OwnPosition,
        params: ReversionParameters,
        state: State,
        instruments: Mapping[str, Instrument],
    ) -> Decision:
        """Return one target per instrument that has bars enough; the others are left alone."""
        return decided(view, own, params, state, instruments, ReversionRules(params), params.window)

    def signals(
        self,
        past: Mapping[str, Past],
        params: ReversionParameters,
        instruments: Mapping[str, Instrument],
        leverage: float,  # noqa: ARG002  a trade takes a fixed share
    ) -> Mapping[str, Signals]:
        """Return the columns of each market by itself."""
        return {key: reversion_signals(past[key], params) for key in instruments}
