"""When to open, hold and leave a trade of the Nadaraya-Watson strategy."""

from __future__ import annotations

from typing import Literal, NamedTuple

from apps.strategies.library.kernel.calls import KINDS, Events, back_at_estimate, called_for, stop_of, weight_of
from apps.strategies.library.kernel.estimates import Estimates
from apps.strategies.library.kernel.parameters import KernelParameters
from apps.strategies.library.single.memory import Market, Phase, Trade
from apps.strategies.library.single.position import adopted, closing
from apps.strategies.library.single.scene import Scene, too_small


class Signal(NamedTuple):
    """What happened on the newest bar, and which way it points."""

    kind: str
    direction: Literal[-1, 1]


def decided(market: Market, scene: Scene, seen: Estimates, params: KernelParameters) -> tuple[Market, str]:
    """Return the market after its newest bar was acted upon, and a note when anything changed.

    Called again on the same bar the answer is the same.
    """
    trade = market.trade
    if trade is None and scene.quantity:
        trade = adopted(scene, _adopted_stop(scene, seen, params))
        note = f"found a position of {scene.quantity:g} that no trade explains: adopted"
        return Market(trade=trade, after_ms=market.after_ms), note
    if trade is None:
        return _entry(market, scene, seen, params)
    if trade.phase is not Phase.OPEN or scene.last_ms <= trade.bar_ms:
        return market, ""
    return _held(market, trade, scene, seen, params)


def _held(market: Market, trade: Trade, scene: Scene, seen: Estimates, params: KernelParameters) -> tuple[Market, str]:
    why = _exit(trade, scene, seen, params)
    if not why:
        return market.model_copy(update={"trade": trade.but(bar_ms=scene.last_ms)}), ""
    note = f"{trade.signal_id}: {why}"
    signal = _signal(scene, seen, params)
    if signal is None or signal.direction == trade.direction or not scene.fresh or why == STOPPED:
        return closing(trade, scene), note
    opened, why_not = _opened(signal, scene, seen, params)
    if opened is None:
        return closing(trade, scene), f"{note}; {why_not}"
    return Market(trade=opened, after_ms=scene.last_ms), f"{note}; turning to {opened.signal_id}"


STOPPED = "stop touched"


def _exit(trade: Trade, scene: Scene, seen: Estimates, params: KernelParameters) -> str:
    """Return why the trade ends with the bars since it was last looked at; nothing when it does not."""
    new = scene.bars.opened_ms > trade.bar_ms
    if trade.stop:
        extremes = scene.bars.low[new] if trade.direction > 0 else scene.bars.high[new]
        if (trade.direction * (extremes - trade.stop) <= 0).any():
            return STOPPED
    if seen.turn == -trade.direction:
        return "the estimate turned"
    close = float(scene.bars.close[-1])
    if trade.kind == "touch" and back_at_estimate(trade.direction, close, float(seen.smooth[-1])):
        return "back at the estimate"
    since = min(params.extreme_bars, int((scene.bars.opened_ms > trade.signal_ms).sum()))
    oversold, overbought = seen.extremes(max(1, since))
    against = overbought if trade.direction > 0 else oversold
    if params.exit_crossings and against >= params.exit_crossings:
        return f"{against:g} crossings into the opposite extreme"
    return ""


def _entry(market: Market, scene: Scene, seen: Estimates, params: KernelParameters) -> tuple[Market, str]:
    if scene.last_ms <= market.after_ms:
        return market, ""
    signal = _signal(scene, seen, params)
    if signal is None:
        return market, ""
    if not scene.fresh:
        return market, f"{signal.kind} on old bars: not taken"
    trade, why_not = _opened(signal, scene, seen, params)
    if trade is None:
        return market, why_not
    return market.model_copy(update={"trade": trade}), f"{trade.signal_id}: opened"


def _signal(scene: Scene, seen: Estimates, params: KernelParameters) -> Signal | None:
    """Return the signal of the newest bar; a turn goes before a touch, and that before an extreme."""
    touch = float(seen.touches(scene.bars)[-1])
    fell, rose = float(seen.oversold[-1]), float(seen.overbought[-1])
    kind, direction = called_for(Events(seen.turn, touch, *seen.extremes(params.extreme_bars), fell, rose), params)
    return Signal(KINDS[int(kind)], 1 if direction > 0 else -1) if kind else None


def _opened(signal: Signal, scene: Scene, seen: Estimates, params: KernelParameters) -> tuple[Trade | None, str]:
    """Return a new trade, or None and why there cannot be one."""
    close, distance = float(scene.bars.close[-1]), params.stop_atr * float(seen.atr[-1])
    if params.stop_atr and not distance > 0:
        return None, "the average true range is 0: the market does not move"
    stop = float(stop_of(signal.direction, close, distance))
    if stop < 0 or (distance and stop == 0):
        return None, f"the stop would lie below zero: {distance:g} from {close:g}"
    weight = float(weight_of(scene.price, distance, scene.leverage, params))
    if why_not := too_small(scene, weight):
        return None, why_not
    trade = Trade(
        phase=Phase.ENTERING,
        direction=signal.direction,
        kind=signal.kind,
        signal_ms=scene.last_ms,
        bar_ms=scene.last_ms,
        weight=weight,
        stop=stop,
        base_quantity=scene.quantity,
        settled=scene.settled,
    )
    return trade, ""


def _adopted_stop(scene: Scene, seen: Estimates, params: KernelParameters) -> float:
    entry = float(scene.holding.cost / scene.holding.quantity)
    direction = 1 if scene.quantity > 0 else -1
    return max(0.0, entry - direction * params.stop_atr * float(seen.atr[-1])) if params.stop_atr else 0.0
