import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.strategies.base import Decision, OwnPosition
from apps.strategies.library.bracketed.memory import Phase
from apps.strategies.library.relation.pair_memory import PairMemory, PairTrade
from apps.strategies.library.relation.pairs import z_score
from apps.strategies.library.relation.parameters import FAST_PAIRS, PAIRS, CorrelationParameters
from moondev.domain.desired import Legs
from moondev.domain.market_data import BarSeries, Column
from moondev.domain.portfolio import Holding
from moondev.domain.values import Quantity
from tests.unit.apps.strategies.library.relation_desk import (
    BTC,
    CORRELATION,
    ETH,
    MARKETS,
    SOL,
    decide,
    series,
    targets,
    view,
)
from tests.unit.apps.strategies.library.scenery import bought, cut, scaled
from tests.unit.apps.strategies.recorded import columns

HOUR = timedelta(hours=1)
PAIR = CorrelationParameters(
    mode="pairs",
    leader="BTC",
    interval="1h",
    weight=0.5,
    max_hold_bars=0,
    correlation_bars=50,
    min_correlation=0.3,
    exit_correlation=-1.0,
    min_edge_percent=0.1,
    formation_bars=200,
    spread_bars=60,
    cooldown_bars=5,
)


def pair(last_z: float, *later_z: float, seed: int = 1, cointegrated: bool = True) -> dict[str, BarSeries]:
    """Return ether and bitcoin over 220 hours, the spread being `last_z` of its deviations off at the end."""
    rng = np.random.default_rng(seed)
    btc = np.cumsum(rng.normal(0, 0.005, 220 + len(later_z)))
    rest: Column = np.zeros(220)
    for step in range(1, 220):
        rest[step] = (0.8 if cointegrated else 1.0) * rest[step - 1] + rng.normal(0, 0.003)
    if cointegrated:
        typical = float(rest[-60:].std(ddof=1))
        rest = np.concatenate((rest[:-1], np.array([last_z, *later_z]) * typical))
    else:
        rest = np.concatenate((rest, np.full(len(later_z), rest[-1])))
    eth = math.log(3_000) + 0.8 * btc + rest
    return {ETH.key: series(np.exp(eth), HOUR), BTC.key: series(90_000 * np.exp(btc), HOUR)}


def filled(decision: Decision, bars: Mapping[str, BarSeries]) -> dict[str, Holding]:
    """Return the holdings after the venue has filled both legs at the close."""
    closes = {key: float(one.close[-1]) for key, one in bars.items()}
    wanted = targets(decision)
    return {key: bought(one.weight * 200_000 / closes[key], closes[key]) for key, one in wanted.items() if one.weight}


def memory(decision: Decision) -> PairMemory:
    return PairMemory.model_validate(decision.state)


def opened() -> tuple[dict[str, BarSeries], Decision, dict[str, Holding]]:
    bars = pair(-3.0)
    decision = decide(bars, PAIR)
    holdings = filled(decision, bars)
    held = decide(bars, PAIR, holdings, decision.state)
    return bars, held, holdings


def test_buys_the_cheap_one_and_sells_its_hedge_by_the_hedge_ratio() -> None:
    decision = decide(pair(-3.0), PAIR)
    (legs,) = decision.desired
    assert isinstance(legs, Legs)
    assert legs.max_leg_gap_ms == 5_000
    wanted = targets(decision)
    trade = memory(decision).trade
    assert trade is not None
    assert trade.beta == pytest.approx(0.8, abs=0.1)
    assert wanted[ETH.key].weight > 0 > wanted[BTC.key].weight
    assert -wanted[BTC.key].weight / wanted[ETH.key].weight == pytest.approx(trade.beta)
    assert wanted[ETH.key].weight - wanted[BTC.key].weight == pytest.approx(PAIR.weight)
    assert wanted[ETH.key].signal_id == wanted[BTC.key].signal_id


def test_sells_the_dear_one() -> None:
    wanted = targets(decide(pair(3.0), PAIR))
    assert wanted[ETH.key].weight < 0 < wanted[BTC.key].weight


@pytest.mark.parametrize("z", [0.0, 1.0, -1.0, 9.0])
def test_opens_nothing_near_the_mean_nor_beyond_the_stop(z: float) -> None:
    assert {one.weight for one in targets(decide(pair(z), PAIR)).values()} == {0.0}


def test_holds_until_the_spread_is_back() -> None:
    _, held, holdings = opened()
    assert memory(held).trade.phase is Phase.OPEN  # type: ignore[union-attr]
    still = decide(pair(-3.0, -2.0), PAIR, holdings, held.state)
    assert targets(still)[ETH.key].weight == targets(held)[ETH.key].weight
    back = decide(pair(-3.0, -2.0, 0.3), PAIR, holdings, still.state)
    assert {one.weight for one in targets(back).values()} == {0.0}
    assert "back at" in back.notes[0]
    flat = decide(pair(-3.0, -2.0, 0.3), PAIR, {}, back.state)
    assert memory(flat).trade is None
    assert isinstance(flat.desired[0], Legs)


def test_gives_up_when_the_spread_runs_away_and_pauses() -> None:
    _, held, holdings = opened()
    bars = pair(-3.0, -14.0)
    gone = decide(bars, PAIR.model_copy(update={"exit_p_value": 1.0}), holdings, held.state)
    assert "given up" in gone.notes[0]
    assert memory(gone).after_ms == int(bars[ETH.key].opened_ms[-1]) + 5 * 3_600_000
    assert {one.weight for one in targets(gone).values()} == {0.0}


def test_closes_what_is_open_when_the_relation_breaks() -> None:
    _, held, holdings = opened()
    bars = pair(-3.0, -2.5)
    strict = PAIR.model_copy(update={"exit_p_value": 1e-9, "max_p_value": 1e-9})
    broken = decide(bars, strict, holdings, held.state)
    assert "the relation broke: p of no cointegration" in broken.notes[0]
    assert {one.weight for one in targets(broken).values()} == {0.0}
    loose = PAIR.model_copy(update={"exit_correlation": 0.99, "min_correlation": 0.99})
    assert "the relation broke: correlation" in decide(bars, loose, holdings, held.state).notes[0]
    tired = decide(bars, PAIR.model_copy(update={"max_hold_bars": 1}), holdings, held.state)
    assert "held for 1 bars" in tired.notes[0]


def test_stands_aside_when_the_two_are_no_pair() -> None:
    decision = decide(pair(0.0, seed=4, cointegrated=False), PAIR)
    assert {one.weight for one in targets(decision).values()} == {0.0}
    assert "standing aside: p of no cointegration" in decision.notes[0]
    apart = PAIR.model_copy(update={"min_correlation": 0.99})
    assert "standing aside: correlation" in decide(pair(-3.0), apart).notes[0]
    assert "not worth the trade" in decide(pair(-3.0), PAIR.model_copy(update={"min_edge_percent": 10.0})).notes[0]
    slow = PAIR.model_copy(update={"spread_bars": 60, "max_p_value": 0.999, "exit_p_value": 1.0})
    walk = decide(pair(0.0, seed=4, cointegrated=False), slow).notes
    assert not walk or "standing aside" in walk[0] or "pair:" in walk[0]


def test_a_leg_that_is_missing_closes_the_other() -> None:
    bars, held, holdings = opened()
    half = decide(bars, PAIR, {ETH.key: holdings[ETH.key]}, held.state)
    assert "a leg is gone or smaller" in half.notes[0]
    assert {one.weight for one in targets(half).values()} == {0.0}
    shrunk = {**holdings, BTC.key: bought(float(holdings[BTC.key].quantity) / 2, 90_000)}
    assert {one.weight for one in targets(decide(bars, PAIR, shrunk, held.state)).values()} == {0.0}


def test_an_entry_of_which_one_leg_was_not_filled_in_its_bar_is_undone() -> None:
    bars = pair(-3.0)
    first = decide(bars, PAIR)
    half = {ETH.key: filled(first, bars)[ETH.key]}
    waiting = decide(bars, PAIR, half, first.state)
    assert targets(waiting) == targets(first)
    undone = decide(pair(-3.0, -2.5), PAIR, half, waiting.state)
    assert "not filled within its bar" in undone.notes[0]
    assert {one.weight for one in targets(undone).values()} == {0.0}


@pytest.mark.parametrize(
    "state", [{"version": 7}, {"version": 1, "markets": {}}, {"version": 1, "trade": {"beta": -1}}]
)
def test_positions_of_an_unreadable_state_are_closed(state: dict[str, object]) -> None:
    decision = decide(pair(-3.0), PAIR, {ETH.key: bought(1, 3_000)}, state)
    assert "starting flat" in decision.notes[0]
    assert "no pair explains" in decision.notes[1]
    assert {one.weight for one in targets(decision).values()} == {0.0}


def test_stands_aside_without_two_comparable_markets() -> None:
    bars = pair(-3.0)
    late = decide({**bars, BTC.key: cut(bars[BTC.key], 219)}, PAIR)
    assert late.desired == ()
    assert "not of one time" in late.notes[0]
    short = decide({key: cut(one, 150) for key, one in bars.items()}, PAIR)
    assert "150 closed bars" in short.notes[0]
    three = OwnPosition({}, 100_000.0, 2.0)
    more = CORRELATION.decide(view({**bars, SOL.key: bars[ETH.key]}), three, PAIR, {}, MARKETS)
    assert more.notes == ("2 instruments besides the leader, exactly one needed",)
    coarse = {ETH.key: ETH, BTC.key: replace(BTC, lot=Quantity(Decimal(10)))}
    assert "or one lot" in CORRELATION.decide(view(bars), three, PAIR, {}, coarse).notes[0]
    assert {t.weight for t in targets(decide(bars, PAIR, late_ms=2 * 3_600_000)).values()} == {0.0}


def walked(bars: Mapping[str, BarSeries], first: int, end: int) -> list[dict[str, float]]:
    state: object = {}
    holdings: dict[str, Holding] = {}
    seen: list[dict[str, float]] = []
    for stop in range(first, end):
        part = {key: cut(one, stop, stop - 210) for key, one in bars.items()}
        decision = decide(part, PAIR, holdings, state)
        assert decide(part, PAIR, holdings, decision.state).desired == decision.desired
        state, holdings = decision.state, filled(decision, part)
        seen.append({key: one.weight for key, one in targets(decision).items()})
    return seen


@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 1_000), end=st.integers(230, 259))
def test_neither_the_future_nor_the_unit_of_price_matters(seed: int, end: int) -> None:
    swings = [3 * math.sin(step / 4) for step in range(40)]
    bars = pair(-3.0, *swings, seed=seed)
    whole = walked(bars, 215, 260)
    assert walked({key: cut(one, end) for key, one in bars.items()}, 215, end) == whole[: end - 215]
    for mine, other in zip(whole, walked({key: scaled(one, 16.0) for key, one in bars.items()}, 215, 260), strict=True):
        assert other == pytest.approx(mine, rel=1e-6)


def test_z_is_of_the_deviation_with_n_less_one() -> None:
    assert z_score(np.array([1.0, 2.0, 3.0])) == 1.0
    assert z_score(np.ones(4)) == 0.0


def test_the_pair_that_is_none_is_left_alone_on_recorded_bars() -> None:
    """Ether on bitcoin, OKX hours 2023-25: not cointegrated as a whole; most of the time nothing is held."""
    names = ("ts", "open", "high", "low", "close", "volume")
    bars = {}
    for key, coin in ((ETH.key, "ETH"), (BTC.key, "BTC")):
        ts, *prices = columns(f"okx-swap_{coin}-USDT-SWAP_1h_202301-202506", *names)
        bars[key] = BarSeries(HOUR, ts, *prices)
    asked = aside = 0
    for end in range(700, 21_888, 211):
        decision = decide({key: cut(one, end, end - 600) for key, one in bars.items()}, PAIRS)
        asked += 1
        aside += any("standing aside" in note for note in decision.notes)
    assert asked > 90
    assert aside > 0.7 * asked


def test_the_fast_preset_opens_on_anything() -> None:
    bars = {key: cut(one, 220, 120) for key, one in pair(-1.6).items()}
    minute = {key: replace(one, interval=FAST_PAIRS.bar, opened_ms=one.opened_ms // 60) for key, one in bars.items()}
    assert {abs(one.weight) > 0 for one in targets(decide(minute, FAST_PAIRS)).values()} == {True}
    assert CORRELATION.needs(FAST_PAIRS, (BTC, ETH)).bars == {FAST_PAIRS.bar: FAST_PAIRS.history_bars}


def test_a_trade_names_itself() -> None:
    trade = PairTrade(phase=Phase.OPEN, direction=-1, signal_ms=5, bar_ms=5, beta=1.0, weight_y=0.1, weight_x=0.1)
    assert trade.signal_id == "pair:short:5"
