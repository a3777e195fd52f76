"""Arbitrage: the same thing at two prices, bought and sold at once, unwound when the prices meet."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

from apps.strategies.base import Decision, OwnPosition, Parameters, State, Strategy
from apps.strategies.library.arbitraging.memory import Memory, Trade, pair_name, remembered
from apps.strategies.library.arbitraging.openings import opening
from apps.strategies.library.arbitraging.parameters import (
    CANONICAL,
    FAST,
    FUNDING_CARRY,
    ORIGINAL,
    TRIANGULAR,
    ArbitrageParameters,
)
from apps.strategies.library.arbitraging.scene import Scene, pairs
from apps.strategies.library.arbitraging.triangle import triangle_notes
from apps.strategies.library.arbitraging.unwinding import adopted, advanced, wishes
from moondev.domain.desired import Desired, Target
from moondev.domain.instruments import Instrument
from moondev.domain.market_data import MarketView, Needs

MS_IN_SECOND = 1_000


class Arbitrage(Strategy[ArbitrageParameters]):
    """Trade gaps between venues or the difference of their funding; watch a triangle."""

    name: ClassVar[str] = "arbitrage"
    parameters: ClassVar[type[Parameters]] = ArbitrageParameters
    presets: ClassVar[Mapping[str, Parameters]] = MappingProxyType(
        {
            "canonical": CANONICAL,
            "original": ORIGINAL,
            "funding_carry": FUNDING_CARRY,
            "triangular": TRIANGULAR,
            "fast": FAST,
        }
    )

    def needs(self, params: ArbitrageParameters, instruments: tuple[Instrument, ...]) -> Needs:
        """Return the book of every instrument, and of the triangle's third side, which is only looked at."""
        keys = tuple(instrument.key for instrument in instruments)
        return Needs((*keys, params.cross[0]) if params.triangle_cross else keys, book=True)

    def decide(
        self,
        view: MarketView,
        own: OwnPosition,
        params: ArbitrageParameters,
        state: State,
        instruments: Mapping[str, Instrument],
    ) -> Decision:
        """Return the legs of every trade that is on; new ones where the edge is worth them."""
        memory, note = remembered(state)
        notes = [note] if note else []
        scene = Scene(view, own, params, instruments)
        trades, resting = _carried_on(scene, memory, notes)
        if params.mode == "triangular":
            notes += triangle_notes(scene)
        else:
            found, remarks = pairs(instruments)
            notes += remarks
            trades += _found(scene, found, trades, notes)
            trades += _opened(scene, found, trades, resting)
        desired = [wish for trade in trades for wish in wishes(trade, params.max_leg_gap_ms)]
        desired += _strays(scene, trades, notes)
        after = Memory(trades=tuple(trades), resting_until_ms=resting)
        return Decision(tuple(desired), after.to_state(), tuple(notes))


def _carried_on(scene: Scene, memory: Memory, notes: list[str]) -> tuple[list[Trade], dict[str, int]]:
    """Return the trades that are still on, and which pairs rest until when."""
    resting = {pair: until for pair, until in memory.resting_until_ms.items() if until > scene.now_ms}
    trades = []
    for trade in memory.trades:
        after, note = advanced(scene, trade)
        notes += [note] if note else []
        if after is not None:
            trades.append(after)
        if after is None or after.phase == "closing":
            until = scene.now_ms + round(scene.params.cooldown_seconds * MS_IN_SECOND)
            resting[pair_name(trade.buy, trade.sell)] = until
    return trades, resting


def _found(scene: Scene, found: list[tuple[str, str]], trades: list[Trade], notes: list[str]) -> list[Trade]:
    """Return level pairs that are held but that nobody remembers, as after a loss of the state."""
    taken = _taken(trades)
    adopts: list[Trade] = []
    for one, other in found:
        if {one, other} & taken:
            continue
        trade = adopted(scene, one, other) or adopted(scene, other, one)
        if trade is not None:
            taken |= {one, other}
            adopts.append(trade)
            notes.append(f"{trade.signal}: two positions nobody remembers are a pair; adopted")
    return adopts


def _opened(scene: Scene, found: list[tuple[str, str]], trades: list[Trade], resting: Mapping[str, int]) -> list[Trade]:
    """Return the most promising openings: an instrument is in one trade at most."""
    both_ways = [way for one, other in found for way in ((one, other), (other, one))]
    free = [way for way in both_ways if pair_name(*way) not in resting and not any(scene.held(key) for key in way)]
    openings = [one for way in free if (one := opening(scene, *way)) is not None]
    taken = _taken(trades)
    opened: list[Trade] = []
    for one in sorted(openings, key=lambda one: -one.promise_bps):
        full = len(trades) + len(opened) >= scene.params.max_pairs
        if full or {one.trade.buy, one.trade.sell} & taken:
            continue
        taken |= {one.trade.buy, one.trade.sell}
        opened.append(one.trade)
    return opened


def _strays(scene: Scene, trades: list[Trade], notes: list[str]) -> list[Desired]:
    """Return exits of what is held outside any trade: one leg by itself is no arbitrage."""
    strays = [key for key in scene.instruments if scene.held(key) and key not in _taken(trades)]
    notes += [f"{key}: a position outside any pair; closed" for key in strays]
    return [Target(key, 0.0, f"stray:{key}"[:100], "a leg by itself") for key in strays]


def _taken(trades: list[Trade]) -> set[str]:
    return {key for trade in trades for key in (trade.buy, trade.sell)}
