"""The Turtles' trend following: buy strength, add to it, and leave by a trailing stop."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

from apps.strategies.base import Decision, OwnPosition, Parameters, State, Strategy
from apps.strategies.library.amounts import exact, price_of
from apps.strategies.library.turtle.breakout import may_begin
from apps.strategies.library.turtle.memory import Market, Memory, Phase, remembered
from apps.strategies.library.turtle.n import n_series
from apps.strategies.library.turtle.parameters import (
    CANONICAL,
    FAST,
    ORIGINAL,
    TurtleParameters,
)
from apps.strategies.library.turtle.position import reconciled
from apps.strategies.library.turtle.rules import decided
from apps.strategies.library.turtle.scene import Capital, Scene, price_now, usable_bars
from apps.strategies.library.turtle.units import notional_equity
from apps.strategies.signals import Past, Rows
from moondev.domain.desired import Target
from moondev.domain.instruments import Instrument
from moondev.domain.market_data import MarketView, Needs
from moondev.domain.values import Price


class TurtleTrend(Strategy[TurtleParameters]):
    """Trade channel breakouts in units of equal risk, pyramided, behind a stop of 2 N.

    Source: Curtis Faith, "The Original Turtle Trading Rules", 2003.
    """

    name: ClassVar[str] = "turtle_trend"
    parameters: ClassVar[type[Parameters]] = TurtleParameters
    presets: ClassVar[Mapping[str, Parameters]] = MappingProxyType(
        {"canonical": CANONICAL, "original": ORIGINAL, "fast": FAST}
    )

    def needs(self, params: TurtleParameters, instruments: tuple[Instrument, ...]) -> Needs:
        """Return the bars of every instrument, and its book for the price at which to size."""
        keys = tuple(instrument.key for instrument in instruments)
        return Needs(keys, {params.bar: params.history_bars}, book=True)

    def decide(
        self,
        view: MarketView,
        own: OwnPosition,
        params: TurtleParameters,
        state: State,
        instruments: Mapping[str, Instrument],
    ) -> Decision:
        """Return one target per instrument that has bars enough; the others are left alone."""
        memory, note = remembered(state)
        notes = [note] if note else []
        if not own.equity * own.leverage > 0:
            problem = f"nothing to trade with: equity {own.equity:g}, leverage {own.leverage:g}"
            return Decision((), state, (*notes, problem))
        profit = _profit(view, own, params)
        peak = max(memory.peak_profit, profit)
        capital = _capital(own, params, lost=peak - profit)
        targets: list[Target] = []
        markets = dict(memory.markets)
        for key, instrument in instruments.items():
            scene, note = _scene(view, own, params, instrument, capital)
            if scene is None:
                notes.append(f"{key}: {note}")
                continue
            market, surprise = reconciled(memory.market(key), scene)
            market, note = decided(market, scene)
            notes.extend(f"{key}: {text}" for text in (surprise, note) if text)
            markets[key] = market
            targets.append(_target(key, market, scene))
        after = Memory(peak_profit=peak, markets=markets)
        return Decision(tuple(targets), after.to_state(), tuple(notes))

    def wakes(
        self,
        past: Mapping[str, Past],
        params: TurtleParameters,
        instruments: Mapping[str, Instrument],
        leverage: float,  # noqa: ARG002  how much is bought does not decide when
    ) -> Mapping[str, Rows]:
        """Return the bars that break out of any channel traded."""
        return {key: may_begin(past[key], params) for key in instruments}


def _profit(view: MarketView, own: OwnPosition, params: TurtleParameters) -> float:
    """Return the strategy's own profit at current prices, in the account's currency."""
    total = 0.0
    for key, holding in own.holdings.items():
        seen = view.instruments.get(key)
        bars = seen.bars.get(params.bar) if seen is not None else None
        if seen is not None and bars is not None and len(bars):
            mark = exact(price_now(seen, bars))
        else:
            # Without a price the open part counts as neither won nor lost.
            mark = holding.cost / holding.quantity if holding.quantity else holding.cost
        total += float(holding.equity(mark))
    return total


def _capital(own: OwnPosition, params: TurtleParameters, lost: float) -> Capital:
    sizing = own.equity
    if params.drawdown_rule:
        sizing = min(sizing, notional_equity(own.equity + lost, lost))
    return Capital(own.equity * own.leverage, sizing)


def _scene(
    view: MarketView,
    own: OwnPosition,
    params: TurtleParameters,
    instrument: Instrument,
    capital: Capital,
) -> tuple[Scene | None, str]:
    seen = view.instruments.get(instrument.key)
    if seen is None:
        return None, "no market data"
    bars, problem = usable_bars(seen, params)
    if bars is None:
        return None, problem
    scene = Scene(
        instrument=instrument,
        bars=bars,
        n=n_series(bars, params.n_bars),
        price=price_now(seen, bars),
        holding=own.holding(instrument.key),
        capital=capital,
        now=view.now,
        params=params,
    )
    return scene, ""


def _target(key: str, market: Market, scene: Scene) -> Target:
    trade = market.trade
    if trade is None:
        return Target(key, 0.0, "flat", "no trade")
    if trade.phase is Phase.CLOSING:
        return Target(key, 0.0, f"{trade.signal_id}:exit", "leaving the trade")
    side = "long" if trade.direction > 0 else "short"
    return Target(
        instrument=key,
        weight=trade.weight,
        signal_id=trade.signal_id,
        reason=f"{trade.system} {side}, {trade.units} unit(s)",
        stop=_price(scene.stop(trade.direction, trade.prices, trade.n)),
        take_profit=_price(scene.take_profit(trade.direction, trade.prices)),
    )


def _price(number: float | None) -> Price | None:
    """Return a price; None where there is none to set (a short's target below zero, say)."""
    if number is None or not math.isfinite(number) or number <= 0:
        return None
    return price_of(number)
