"""One tick over all markets of a strategy of bracketed trades: reconcile, leave, enter, say so."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from apps.strategies.base import Decision, OwnPosition, State
from apps.strategies.library.amounts import price_of
from apps.strategies.library.bracketed.memory import Market, Memory, Phase, Trade, remembered
from apps.strategies.library.bracketed.parameters import BracketedParameters
from apps.strategies.library.bracketed.position import reconciled, touched_exit
from apps.strategies.library.bracketed.rules import Entry, Rules
from apps.strategies.library.bracketed.scene import Scene, usable_bars
from moondev.domain.desired import Target
from moondev.domain.instruments import Instrument
from moondev.domain.market_data import MarketView
from moondev.domain.values import Price


@dataclass(frozen=True, slots=True)
class Window:
    """How many bars the rules need at least, and how many they look at."""

    fewest: int
    most: int


def decided(
    view: MarketView,
    own: OwnPosition,
    params: BracketedParameters,
    state: State,
    instruments: Mapping[str, Instrument],
    rules: Rules,
    window: Window,
) -> Decision:
    """Return one target per instrument that has bars enough, and the memory for the next tick.

    A market that cannot be seen keeps its trade and counts among those open. Of more entries than
    there is room for, the strongest are taken; where equal, the first by name: the order of the
    instruments never matters.
    """
    memory, problem = remembered(state)
    notes = [problem] if problem else []
    if not (own.equity * own.leverage > 0 and math.isfinite(own.equity * own.leverage)):
        nothing = f"nothing to trade with: equity {own.equity:g}, leverage {own.leverage:g}"
        return Decision((), state, (*notes, nothing))
    scenes, unseen = _scenes(view, own, params, instruments, window)
    markets = {key: memory.market(key) for key in sorted(instruments)}
    for key, scene in scenes.items():
        market, surprise = reconciled(markets[key], scene, rules)
        markets[key], left = _managed(market, scene, rules)
        notes += [f"{key}: {text}" for text in (surprise, left) if text]
    begun, remarks = _begin(scenes, markets, params, rules)
    targets = tuple(_target(key, begun[key], scene) for key, scene in scenes.items())
    return Decision(targets, Memory(markets=begun).to_state(), (*notes, *unseen, *remarks))


def _scenes(
    view: MarketView,
    own: OwnPosition,
    params: BracketedParameters,
    instruments: Mapping[str, Instrument],
    window: Window,
) -> tuple[dict[str, Scene], list[str]]:
    scenes: dict[str, Scene] = {}
    notes: list[str] = []
    for key, instrument in sorted(instruments.items()):
        seen = view.instruments.get(key)
        if seen is None:
            notes.append(f"{key}: no market data")
            continue
        bars, problem = usable_bars(seen, params.bar, window.fewest, window.most)
        if bars is None:
            notes.append(f"{key}: {problem}")
            continue
        scenes[key] = Scene(instrument, bars, seen.bars, own.holding(key), own.equity * own.leverage, view.now)
    return scenes, notes


def _begin(
    scenes: Mapping[str, Scene], markets: Mapping[str, Market], params: BracketedParameters, rules: Rules
) -> tuple[dict[str, Market], list[str]]:
    """Return the markets with the entries taken that there is room for, and remarks."""
    entries, notes = _entries(scenes, markets, params, rules)
    after = dict(markets)
    taken = sum(market.trade is not None for market in markets.values())
    for key, entry in entries[: max(0, params.max_positions - taken)]:
        trade = _begun(entry, scenes[key], params)
        after[key] = markets[key].model_copy(update={"trade": trade})
        notes.append(f"{key}: {trade.signal_id}: entering {'long' if entry.direction > 0 else 'short'}")
    return after, notes


def _too_small(instrument: Instrument, notional: float, price: float) -> str:
    """Return why a trade of `notional` at `price` is none at this venue; empty when it is one."""
    if notional < float(instrument.min_notional.value):
        return f"a trade of {notional:g} is below the minimum of {instrument.min_notional}"
    if notional / price < float(instrument.lot.value):
        return f"a trade of {notional / price:g} is below one lot of {instrument.lot}"
    return ""


def _managed(market: Market, scene: Scene, rules: Rules) -> tuple[Market, str]:
    """Return the market with its trade closing when the newest bars end it, and the reason."""
    trade = market.trade
    if trade is None or trade.phase is not Phase.OPEN or not scene.since(trade.bar_ms).any():
        return market, ""
    reason = _over(trade, scene, rules)
    if not reason:
        return market.model_copy(update={"trade": trade.but(bar_ms=scene.last_ms)}), ""
    closing = Market(trade=trade.but(phase=Phase.CLOSING), after_ms=scene.last_ms)
    return closing, f"{trade.signal_id}: {reason}"


def _over(trade: Trade, scene: Scene, rules: Rules) -> str:
    stopped, gained = touched_exit(trade, scene)
    if stopped or gained:
        return "stop touched" if stopped else "take-profit touched"
    if trade.hold_bars and scene.last_ms - trade.signal_ms >= trade.hold_bars * scene.bar_ms:
        return f"held for {trade.hold_bars} bars"
    return rules.leave(trade.direction, scene)


def _entries(
    scenes: Mapping[str, Scene], markets: Mapping[str, Market], params: BracketedParameters, rules: Rules
) -> tuple[list[tuple[str, Entry]], list[str]]:
    """Return the entries that the flat markets call for, strongest first, and remarks."""
    found: list[tuple[str, Entry]] = []
    remarks: list[str] = []
    for key, scene in scenes.items():
        market = markets[key]
        if market.trade is not None or scene.last_ms <= market.after_ms or not scene.may_open:
            continue
        entry, note = rules.entry(scene)
        if entry is not None and not params.takes(entry.direction):
            continue
        if entry is not None:
            note = _too_small(scene.instrument, params.weight * scene.allocation, entry.price)
        if note:
            remarks.append(f"{key}: {note}")
        elif entry is not None:
            found.append((key, entry))
    return sorted(found, key=lambda item: (-item[1].strength, item[0])), remarks


def _begun(entry: Entry, scene: Scene, params: BracketedParameters) -> Trade:
    return Trade(
        phase=Phase.ENTERING,
        direction=entry.direction,
        label=entry.label,
        signal_ms=scene.last_ms,
        bar_ms=scene.last_ms,
        price=entry.price,
        weight=params.weight,
        stop=entry.bracket.stop,
        take_profit=entry.bracket.take_profit,
        rests=entry.rests,
        follows_fill=entry.follows_fill,
        valid_bars=entry.valid_bars,
        hold_bars=entry.hold_bars,
        settled=scene.settled,
    )


def _target(key: str, market: Market, scene: Scene) -> Target:
    trade = market.trade
    if trade is None:
        return Target(key, 0.0, "flat", "no trade")
    if trade.phase is Phase.CLOSING:
        return Target(key, 0.0, f"{trade.signal_id}:exit", "leaving the trade")
    waits = trade.rests and scene.bars_since(trade.signal_ms) < trade.valid_bars
    return Target(
        instrument=key,
        weight=trade.direction * trade.weight,
        signal_id=trade.signal_id,
        reason=f"{trade.label} {'long' if trade.direction > 0 else 'short'}",
        entry=_price(trade.price) if waits else None,
        stop=_price(trade.stop),
        take_profit=_price(trade.take_profit),
    )


def _price(number: float | None) -> Price | None:
    """Return a price; None where there is none to set (a short's target below zero, say)."""
    if number is None or not math.isfinite(number) or number <= 0:
        return None
    return price_of(number)
