"""Trade the spread of a cointegrated pair back to its mean, and stand aside when the relation breaks."""

from __future__ import annotations

from dataclasses import dataclass

from apps.strategies.base import Decision, State
from apps.strategies.library.bracketed.memory import Phase
from apps.strategies.library.bracketed.scene import Scene
from apps.strategies.library.relation.alignment import Together, together
from apps.strategies.library.relation.cointegration import Relation, related
from apps.strategies.library.relation.pair_memory import PairMemory, PairTrade, remembered
from apps.strategies.library.relation.parameters import CorrelationParameters
from moondev.domain.desired import Legs, Target
from moondev.domain.market_data import Column

WHOLE_PERCENT = 100
# The planner leaves a tenth of a target unfilled; a leg that lacks more is not there.
HELD_AT_LEAST = 0.85


@dataclass(frozen=True, slots=True)
class Pair:
    """The hedged market and its hedge, with the closes of the bars that both have."""

    y: Scene
    x: Scene
    closes: Together
    params: CorrelationParameters

    @property
    def last_ms(self) -> int:
        """Return the open time of the newest closed bar."""
        return int(self.closes.opened_ms[-1])

    def spread(self, beta: float) -> Column:
        """Return y - beta x, in logarithms, over the bars of its mean."""
        count = self.params.spread_bars
        return self.closes.y[-count:] - beta * self.closes.x[-count:]

    def relation(self) -> Relation:
        """Return how the two hang together over the formation bars, up to the newest."""
        count = self.params.formation_bars
        return related(self.closes.y[-count:], self.closes.x[-count:], self.params.lags)


def decided(y: Scene, x: Scene, params: CorrelationParameters, state: State) -> Decision:
    """Return both legs, or nothing when the two cannot be compared.

    `y` is hedged by `x`; the same bar gives the same answer.
    """
    memory, note = remembered(state)
    notes = [note] if note else []
    closes, problem = together(y.bars, x.bars, params.minimum_bars)
    if closes is None:
        return Decision((), memory.to_state(), (*notes, problem))
    pair = Pair(y, x, closes, params)
    memory, found = _reconciled(memory, pair)
    memory, done = _acted(memory, pair)
    notes += [text for text in (found, done) if text]
    return Decision((_legs(memory, pair),), memory.to_state(), tuple(notes))


def z_score(spread: Column) -> float:
    """Return how many deviations (n - 1) the newest value lies from the mean; 0 when nothing moves."""
    deviation = float(spread.std(ddof=1))
    return float(spread[-1] - spread.mean()) / deviation if deviation > 0 else 0.0


def _reconciled(memory: PairMemory, pair: Pair) -> tuple[PairMemory, str]:
    """Return the memory as the positions show it. Half a pair is a naked risk: it is closed, never mended."""
    trade, y, x = memory.trade, pair.y.quantity, pair.x.quantity
    if trade is None:
        if y == 0 and x == 0:
            return memory, ""
        return _unexplained(memory, pair), "found positions that no pair explains: closing them"
    if trade.phase is Phase.CLOSING:
        return (memory.but(trade=None), "") if y == 0 and x == 0 else (memory, "")
    if trade.phase is Phase.ENTERING:
        return _entering(memory, trade, pair)
    whole = abs(y) >= HELD_AT_LEAST * abs(trade.seen_y) and abs(x) >= HELD_AT_LEAST * abs(trade.seen_x)
    if whole and _sides(trade, y, x):
        return memory, ""
    return _closing(memory, trade, pair), f"{trade.signal_id}: a leg is gone or smaller: closing the other"


def _entering(memory: PairMemory, trade: PairTrade, pair: Pair) -> tuple[PairMemory, str]:
    y, x = pair.y.quantity, pair.x.quantity
    full_y = pair.y.held_weight >= HELD_AT_LEAST * trade.weight_y
    full_x = pair.x.held_weight >= HELD_AT_LEAST * trade.weight_x
    if full_y and full_x and _sides(trade, y, x):
        return memory.but(trade=trade.but(phase=Phase.OPEN, seen_y=y, seen_x=x)), ""
    if pair.last_ms == trade.signal_ms:
        return memory, ""
    return _closing(memory, trade, pair), f"{trade.signal_id} was not filled within its bar"


def _sides(trade: PairTrade, y: float, x: float) -> bool:
    return y * trade.direction > 0 and x * trade.direction < 0


def _unexplained(memory: PairMemory, pair: Pair) -> PairMemory:
    nobody = PairTrade(
        phase=Phase.CLOSING,
        direction=1 if pair.y.quantity >= 0 else -1,
        signal_ms=pair.last_ms,
        bar_ms=pair.last_ms,
        beta=1.0,
        weight_y=0.0,
        weight_x=0.0,
    )
    return memory.but(trade=nobody, after_ms=pair.last_ms)


def _closing(memory: PairMemory, trade: PairTrade, pair: Pair, pause_bars: int = 0) -> PairMemory:
    after_ms = pair.last_ms + pause_bars * pair.y.bar_ms
    return memory.but(trade=trade.but(phase=Phase.CLOSING), after_ms=after_ms)


def _acted(memory: PairMemory, pair: Pair) -> tuple[PairMemory, str]:
    """Return the memory after the newest bar: once per bar, for the test takes milliseconds."""
    if memory.bar_ms >= pair.last_ms:
        return memory, ""
    seen, trade = memory.but(bar_ms=pair.last_ms), memory.trade
    if trade is None:
        return _entry(seen, pair)
    if trade.phase is not Phase.OPEN or pair.last_ms <= trade.bar_ms:
        return seen, ""
    return _held(seen, trade, pair)


def _held(memory: PairMemory, trade: PairTrade, pair: Pair) -> tuple[PairMemory, str]:
    params, towards = pair.params, -trade.direction * z_score(pair.spread(trade.beta))
    if towards >= params.stop_z:
        why = f"the spread went on to {towards:.1f} deviations: given up"
        return _closing(memory, trade, pair, params.cooldown_bars), f"{trade.signal_id}: {why}"
    if broken := _broken(pair):
        return _closing(memory, trade, pair, params.cooldown_bars), f"{trade.signal_id}: {broken}"
    if towards <= params.exit_z:
        return _closing(memory, trade, pair), f"{trade.signal_id}: back at {towards:.1f} deviations"
    age = (pair.last_ms - trade.signal_ms) // pair.y.bar_ms
    if params.max_hold_bars and age >= params.max_hold_bars:
        return _closing(memory, trade, pair), f"{trade.signal_id}: held for {age} bars"
    return memory.but(trade=trade.but(bar_ms=pair.last_ms)), ""


def _broken(pair: Pair) -> str:
    """Return why the relation no longer holds; empty while it does."""
    relation, params = pair.relation(), pair.params
    if not relation.p_value <= params.exit_p_value:
        return f"the relation broke: p of no cointegration {relation.p_value:.2f}"
    correlation = pair.closes.agreement(params.correlation_bars)
    if not correlation >= params.exit_correlation:
        return f"the relation broke: correlation {correlation:.2f}"
    return ""


def _entry(memory: PairMemory, pair: Pair) -> tuple[PairMemory, str]:
    if pair.last_ms <= memory.after_ms or not pair.y.may_open:
        return memory, ""
    relation, params = pair.relation(), pair.params
    if aside := _standing_aside(relation, pair):
        return memory, f"standing aside: {aside}"
    spread = pair.spread(relation.line.beta)
    z = z_score(spread)
    if not params.entry_z <= abs(z) < params.stop_z or not params.takes(-1 if z > 0 else 1):
        return memory, ""
    edge = WHOLE_PERCENT * (abs(z) - params.exit_z) * float(spread.std(ddof=1))
    if edge < params.min_edge_percent:
        return memory, f"the way back is {edge:.2f} %: not worth the trade"
    trade = _opened(-1 if z > 0 else 1, relation.line.beta, pair)
    if small := _too_small(trade, pair):
        return memory, small
    return memory.but(trade=trade), f"{trade.signal_id}: {z:.1f} deviations, p {relation.p_value:.3f}"


def _standing_aside(relation: Relation, pair: Pair) -> str:
    """Return why the two are no pair to trade now; empty when they are."""
    params = pair.params
    if not relation.line.beta > 0:
        return f"hedge ratio {relation.line.beta:.2f}"
    if not relation.p_value <= params.max_p_value:
        return f"p of no cointegration {relation.p_value:.2f}"
    if not 1 < relation.half_life < params.spread_bars:
        return f"half-life of {relation.half_life:.1f} bars"
    correlation = pair.closes.returns(params.correlation_bars).correlation
    if not correlation >= params.min_correlation:
        return f"correlation {correlation:.2f}"
    return ""


def _opened(direction: int, beta: float, pair: Pair) -> PairTrade:
    weight = pair.params.weight
    return PairTrade(
        phase=Phase.ENTERING,
        direction=1 if direction > 0 else -1,
        signal_ms=pair.last_ms,
        bar_ms=pair.last_ms,
        beta=beta,
        weight_y=weight / (1 + beta),
        weight_x=weight * beta / (1 + beta),
    )


def _too_small(trade: PairTrade, pair: Pair) -> str:
    for scene, weight in ((pair.y, trade.weight_y), (pair.x, trade.weight_x)):
        notional, least = weight * scene.allocation, scene.instrument.min_notional
        if notional < float(least.value) or notional / scene.close < float(scene.instrument.lot.value):
            return f"a leg of {notional:g} is below the minimum of {least} or one lot"
    return ""


def _legs(memory: PairMemory, pair: Pair) -> Legs:
    trade = memory.trade
    weight_y = weight_x = 0.0
    signal_id, reason = "flat", "no trade"
    if trade is not None:
        signal_id, reason = f"{trade.signal_id}:exit", "leaving the trade"
    if trade is not None and trade.phase is not Phase.CLOSING:
        signal_id, reason = trade.signal_id, f"spread, hedge ratio {trade.beta:.2f}"
        weight_y, weight_x = trade.direction * trade.weight_y, -trade.direction * trade.weight_x
    legs = (
        Target(pair.y.instrument.key, weight_y, signal_id, reason),
        Target(pair.x.instrument.key, weight_x, signal_id, reason),
    )
    return Legs(legs, pair.params.max_leg_gap_ms)
