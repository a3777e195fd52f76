"""Market making: earn the spread, lean against the inventory, step aside when it storms."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

from apps.strategies.base import Decision, OwnPosition, Parameters, State, Strategy
from apps.strategies.library.making.memory import Market, remembered
from apps.strategies.library.making.parameters import (
    AVELLANEDA_STOIKOV,
    CANONICAL,
    FAST,
    ORIGINAL,
    MakerParameters,
)
from apps.strategies.library.making.quoting import quoted
from apps.strategies.library.making.scene import bar_of, bars_wanted, scene_of
from apps.strategies.library.making.zone import faded
from moondev.domain.desired import Desired, Quotes
from moondev.domain.instruments import Instrument
from moondev.domain.market_data import MarketView, Needs


class MarketMaker(Strategy[MakerParameters]):
    """Quote both sides as a risk-averse dealer (GLFT or Avellaneda-Stoikov), or fade the range."""

    name: ClassVar[str] = "market_maker"
    parameters: ClassVar[type[Parameters]] = MakerParameters
    presets: ClassVar[Mapping[str, Parameters]] = MappingProxyType(
        {
            "canonical": CANONICAL,
            "avellaneda_stoikov": AVELLANEDA_STOIKOV,
            "original": ORIGINAL,
            "fast": FAST,
        }
    )

    def needs(self, params: MakerParameters, instruments: tuple[Instrument, ...]) -> Needs:
        """Return bars and the book of every instrument."""
        keys = tuple(instrument.key for instrument in instruments)
        return Needs(keys, {bar_of(params): bars_wanted(params)}, book=True)

    def decide(
        self,
        view: MarketView,
        own: OwnPosition,
        params: MakerParameters,
        state: State,
        instruments: Mapping[str, Instrument],
    ) -> Decision:
        """Return quotes for each instrument; none at all where they would be blind."""
        memory, note = remembered(state)
        notes = [note] if note else []
        desired: list[Desired] = []
        markets = dict(memory.markets)
        act = faded if params.model == "zone" else quoted
        for key, instrument in instruments.items():
            scene, problem = scene_of(view, own, params, instrument)
            if scene is None:
                notes.append(f"{key}: {problem}")
                desired.extend(_blind(key, own, params, memory.market(key)))
                continue
            market, wanted, note = act(memory.market(key), scene)
            markets[key] = market
            desired.append(wanted)
            if note:
                notes.append(f"{key}: {note}")
        after = memory.model_copy(update={"markets": markets})
        return Decision(tuple(desired), after.to_state(), tuple(notes))


def _blind(key: str, own: OwnPosition, params: MakerParameters, market: Market) -> tuple[Desired, ...]:
    """Return what to want without sight: no quotes; a zone position is left behind its stop."""
    protected = params.model == "zone" and (market.held or own.holding(key).quantity)
    return () if protected else (Quotes(key, (), (), "pulled: no sight of the market"),)
