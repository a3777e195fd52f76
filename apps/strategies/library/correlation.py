"""Correlation: trade what lags behind a leader, or the spread of a pair, while they belong together."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import ClassVar

from apps.strategies.base import Decision, OwnPosition, Parameters, State, Strategy
from apps.strategies.library.bracketed.scene import Scene, usable_bars
from apps.strategies.library.bracketed.trading import Window, decided
from apps.strategies.library.relation.columns import follower_signals
from apps.strategies.library.relation.leading import LeadLagRules
from apps.strategies.library.relation.parameters import (
    CANONICAL,
    FAST,
    FAST_PAIRS,
    ORIGINAL,
    PAIRS,
    CorrelationParameters,
)
from apps.strategies.signals import Past, Signals
from moondev.domain.instruments import Instrument
from moondev.domain.market_data import BarSeries, MarketView, Needs


class Correlation(Strategy[CorrelationParameters]):
    """Follow a leader with what has not followed yet, or trade a cointegrated pair back to its mean.

    Sources: Engle and Granger, 1987; G. Vidyamurthy, "Pairs Trading", 2004; E. Chan, "Algorithmic Trading", 2013.
    """

    name: ClassVar[str] = "correlation"
    parameters: ClassVar[type[Parameters]] = CorrelationParameters
    presets: ClassVar[Mapping[str, Parameters]] = MappingProxyType(
        {"canonical": CANONICAL, "original": ORIGINAL, "pairs": PAIRS, "fast": FAST, "fast_pairs": FAST_PAIRS}
    )

    def needs(self, params: CorrelationParameters, instruments: tuple[Instrument, ...]) -> Needs:
        """Return the bars of every instrument, the leader's too, and the books for sizing."""
        if params.mode == "pairs":
            # Loads it before `decide` is on the clock.
            _pair_rules()
        return Needs(tuple(i.key for i in instruments), {params.bar: params.history_bars}, book=True)

    def decide(
        self,
        view: MarketView,
        own: OwnPosition,
        params: CorrelationParameters,
        state: State,
        instruments: Mapping[str, Instrument],
    ) -> Decision:
        """Return one target per follower, or the two legs of the pair; the leader itself is only watched."""
        allocation = own.equity * own.leverage
        if not (allocation > 0 and math.isfinite(allocation)):
            return Decision((), state, (f"nothing to trade with: equity {own.equity:g}, leverage {own.leverage:g}",))
        leader, others, problem = _roles(params, instruments)
        if leader is None:
            return Decision((), state, (problem,))
        bars, problem = _bars(view, params, leader)
        if bars is None:
            return Decision((), state, (f"{leader.key}: {problem}",))
        if params.mode == "pairs":
            return _pair(view, own, params, state, (others[0], leader))
        followers = {other.key: other for other in others}
        window = Window(params.minimum_bars, params.history_bars)
        return decided(view, own, params, state, followers, LeadLagRules(bars, params), window)

    def signals(
        self,
        past: Mapping[str, Past],
        params: CorrelationParameters,
        instruments: Mapping[str, Instrument],
        leverage: float,  # noqa: ARG002  a trade takes a fixed share
    ) -> Mapping[str, Signals] | None:
        """Return the columns of each follower; None for pairs, whose trades depend on how both legs filled."""
        leader, others, _ = _roles(params, instruments)
        if leader is None or params.mode == "pairs":
            return None
        return {other.key: follower_signals(past[other.key], past[leader.key], params) for other in others}


def _roles(
    params: CorrelationParameters, instruments: Mapping[str, Instrument]
) -> tuple[Instrument | None, tuple[Instrument, ...], str]:
    """Return the leader and the others, or None and why there are no such roles."""
    leaders = [instrument for instrument in instruments.values() if instrument.asset == params.leader]
    if len(leaders) != 1:
        return None, (), f"{len(leaders)} instruments of the leader {params.leader}, exactly one needed"
    others = tuple(one for _, one in sorted(instruments.items()) if one is not leaders[0])
    if not others or (params.mode == "pairs" and len(others) != 1):
        needed = "exactly one" if params.mode == "pairs" else "one or more"
        return None, (), f"{len(others)} instruments besides the leader, {needed} needed"
    # A dollar, USDC and USDT are different currencies: their own rate would pass for a lag or a spread.
    strange = sorted(one.key for one in others if one.quote != leaders[0].quote)
    if strange:
        return None, (), f"{', '.join(strange)}: not quoted in {leaders[0].quote}, as the leader is"
    return leaders[0], others, ""


def _bars(view: MarketView, params: CorrelationParameters, instrument: Instrument) -> tuple[BarSeries | None, str]:
    seen = view.instruments.get(instrument.key)
    if seen is None:
        return None, "no market data"
    return usable_bars(seen, params.bar, params.minimum_bars, params.history_bars)


def _pair(
    view: MarketView, own: OwnPosition, params: CorrelationParameters, state: State, legs: tuple[Instrument, Instrument]
) -> Decision:
    scenes: list[Scene] = []
    for instrument in legs:
        bars, problem = _bars(view, params, instrument)
        if bars is None:
            return Decision((), state, (f"{instrument.key}: {problem}",))
        holding, allocation = own.holding(instrument.key), own.equity * own.leverage
        scenes.append(Scene(instrument, bars, {}, holding, allocation, view.now))
    return _pair_rules()(scenes[0], scenes[1], params, state)


def _pair_rules() -> Callable[[Scene, Scene, CorrelationParameters, State], Decision]:
    """Return what decides on a pair. Loads statsmodels, a second and 75 MB, so only where pairs are traded."""
    from apps.strategies.library.relation import pairs  # noqa: PLC0415 - most processes never need it

    return pairs.decided
