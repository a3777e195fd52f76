"""A run is judged in plain words, and never called proof."""

from dataclasses import replace

import numpy as np
import pytest

from apps.strategies.backtest.costs import Costs
from apps.strategies.backtest.metrics import DAY_MS
from apps.strategies.backtest.results import EquityCurve, Trade
from apps.strategies.backtest.trade_figures import gross_bps, net_bps, trade_figures
from apps.strategies.backtest.verdict import Tone, doubts, verdict
from moondev.domain.values import Side
from tests.unit.apps.strategies.backtest.runs import HOUR, START, record


def trade(gross, fees=0.0, at=0):
    entered = START + at * HOUR
    return Trade("a:BTC", Side.BUY, 2.0, entered, 100.0, entered + HOUR, 100 + gross / 2, gross, fees, 0.0, "target")


def large(gross):
    """Return a trade ten times as large, which moved a tenth as far for its money."""
    return replace(trade(gross), quantity=20.0)


def told(*trades):
    made = record(100)
    net = sum(one.net for one in trades)
    curve = EquityCurve(made.curve.times[:2], made.curve.equity[:1].repeat(2), made.curve.exposure[:2])
    curve.equity[-1] = made.facts.capital + net
    return replace(made, trades=trades, curve=curve)


def test_figures_are_in_basis_points_of_the_entry():
    trades = (trade(0.2, 0.1), trade(-0.1, 0.1))
    assert gross_bps(trades).tolist() == pytest.approx([10, -5])
    assert net_bps(trades).tolist() == pytest.approx([5, -10])
    figures = trade_figures(trades)
    assert (figures.count, figures.win_rate, figures.hours) == (2, 0.5, 1.0)
    assert figures.net_bps == pytest.approx(-2.5)
    assert figures.t_statistic == pytest.approx(-2.5 / 10.6066017 * 2**0.5)
    assert trade_figures(()).t_statistic is None
    assert trade_figures((trade(1), trade(1))).t_statistic is None


@pytest.mark.parametrize(
    ("trades", "words", "tone"),
    [
        ((), "never traded", Tone.CALM),
        ((trade(-0.2, 0.1),), "loses before costs (\N{MINUS SIGN}10.0 bp", Tone.BAD),
        ((trade(0.0, 0.1),), "makes nothing before costs", Tone.BAD),
        ((trade(0.2, 0.5),), "Costs eat it: +10.0 bp", Tone.BAD),
        ((trade(0.2), trade(0.2), large(-0.6)), "by its larger trades (the mean trade makes +5.7 bp)", Tone.BAD),
        ((trade(0.2), trade(0.1)), "on 2 trades: too few", Tone.UNSURE),
        (tuple(trade(3.0 if at % 2 else -2.9) for at in range(40)), "luck explains", Tone.UNSURE),
        (tuple(trade(0.3 if at % 3 else -0.1) for at in range(60)), "in one past", Tone.GOOD),
    ],
)
def test_the_verdict_says_what_the_run_shows(trades, words, tone):
    found = verdict(told(*trades))
    assert words in found.words
    assert found.tone is tone


def test_doubts_name_what_flatters_the_figures():
    found = " / ".join(doubts(record(100)))
    assert "GAP: one bar" in found
    assert "no spread and no slippage" in found
    assert "no funding is charged for bybit-linear:BTCUSDT" in found
    assert "a past of 4.1 days shows one mood of the market" in found
    assert "too few" in found
    assert "open at the end" in found
    assert "no fees" in " ".join(doubts(record(100, costs=Costs(0, 0))))
    guarded = " ".join(doubts(record(100, costs=Costs(2, 5, spread_bps=1))))
    assert "no spread" not in guarded


def test_minutes_over_midnight_are_not_called_two_days():
    made = record(100)
    midnight = 20_000 * DAY_MS
    curve = replace(made.curve, times=np.linspace(midnight - 180_000, midnight + 180_000, 100).astype(np.int64))
    found = " / ".join(doubts(replace(made, curve=curve)))
    assert "a past of 6 min shows one mood" in found
