"""Nadaraya-Watson: trade the turns and the envelope of a kernel estimate that never repaints."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

from apps.strategies.base import Decision, OwnPosition, Parameters, State, Strategy
from apps.strategies.library.kernel.columns import kernel_signals
from apps.strategies.library.kernel.estimates import estimates
from apps.strategies.library.kernel.parameters import CANONICAL, FAST, ORIGINAL, KernelParameters
from apps.strategies.library.kernel.rules import decided
from apps.strategies.library.single.memory import Memory, remembered
from apps.strategies.library.single.position import reconciled
from apps.strategies.library.single.scene import Scene, price_now, usable_bars
from apps.strategies.library.single.target import target_of
from apps.strategies.signals import Past, Signals
from moondev.domain.desired import Target
from moondev.domain.instruments import Instrument
from moondev.domain.market_data import MarketView, Needs


class NadarayaWatson(Strategy[KernelParameters]):
    """Buy when the one-sided estimate turns up or the price falls out of its envelope; sell on the mirror image.

    Sources: E. A. Nadaraya and G. S. Watson, 1964; Chande and Kroll (StochRSI), 1994.
    """

    name: ClassVar[str] = "nadaraya_watson"
    parameters: ClassVar[type[Parameters]] = KernelParameters
    presets: ClassVar[Mapping[str, Parameters]] = MappingProxyType(
        {"canonical": CANONICAL, "original": ORIGINAL, "fast": FAST}
    )

    def needs(self, params: KernelParameters, instruments: tuple[Instrument, ...]) -> Needs:
        """Return the bars of every instrument, and its book for the price at which to size."""
        keys = tuple(instrument.key for instrument in instruments)
        return Needs(keys, {params.bar: params.history_bars}, book=True)

    def decide(
        self,
        view: MarketView,
        own: OwnPosition,
        params: KernelParameters,
        state: State,
        instruments: Mapping[str, Instrument],
    ) -> Decision:
        """Return one target per instrument that has bars enough; the others are left alone."""
        memory, note = remembered(state)
        notes = [note] if note else []
        if not own.equity * own.leverage > 0:
            problem = f"nothing to trade with: equity {own.equity:g}, leverage {own.leverage:g}"
            return Decision((), state, (*notes, problem))
        targets: list[Target] = []
        markets = dict(memory.markets)
        for key, instrument in instruments.items():
            scene, note = _scene(view, own, params, instrument)
            if scene is None:
                notes.append(f"{key}: {note}")
                continue
            market, surprise = reconciled(memory.market(key), scene)
            market, note = decided(market, scene, estimates(scene.bars, params), params)
            notes.extend(f"{key}: {text}" for text in (surprise, note) if text)
            markets[key] = market
            targets.append(target_of(key, market))
        return Decision(tuple(targets), Memory(markets=markets).to_state(), tuple(notes))

    def signals(
        self,
        past: Mapping[str, Past],
        params: KernelParameters,
        instruments: Mapping[str, Instrument],
        leverage: float,
    ) -> Mapping[str, Signals]:
        """Return the columns of each market by itself."""
        return {key: kernel_signals(past[key], params, leverage) for key in instruments}


def _scene(
    view: MarketView, own: OwnPosition, params: KernelParameters, instrument: Instrument
) -> tuple[Scene | None, str]:
    seen = view.instruments.get(instrument.key)
    if seen is None:
        return None, "no market data"
    bars, problem = usable_bars(seen, params.bar, params.minimum_bars, params.history_bars)
    if bars is None:
        return None, problem
    return (
        Scene(
            instrument=instrument,
            bars=bars,
            price=price_now(seen, bars),
            holding=own.holding(instrument.key),
            equity=own.equity,
            allocation=own.equity * own.leverage,
            now=view.now,
        ),
        "",
    )
