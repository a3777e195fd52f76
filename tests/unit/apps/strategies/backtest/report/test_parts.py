"""The parts of a report: months, rolling ratio, spreads, thinned columns, written numbers."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from apps.strategies.backtest import numbers
from apps.strategies.backtest.metrics import DAY_MS, daily_closes, daily_returns, sharpe
from apps.strategies.backtest.report.breakdown import splits
from apps.strategies.backtest.report.histogram import histogram
from apps.strategies.backtest.report.months import monthly_returns
from apps.strategies.backtest.report.payload import payload
from apps.strategies.backtest.report.rolling import rolling_sharpe
from apps.strategies.backtest.report.thinning import kept_rows
from apps.strategies.backtest.results import EquityCurve
from moondev.domain.clock import milliseconds
from tests.unit.apps.strategies.backtest.runs import record


def curve(*points):
    times = np.array([milliseconds(datetime(*day, tzinfo=UTC)) for day, _ in points])
    return EquityCurve(times, np.array([float(value) for _, value in points]), np.zeros(len(points)))


def test_a_month_begins_where_the_one_before_ended():
    points = (((2023, 12, 31), 90), ((2024, 1, 1), 110), ((2024, 1, 20), 99), ((2024, 3, 2), 198))
    first, second = monthly_returns(curve(*points), 100)
    assert (first.year, first.months[11], first.whole) == (2023, pytest.approx(0.1), pytest.approx(0.1))
    assert second.months[:3] == (pytest.approx(-0.1), None, pytest.approx(1.0))
    assert second.whole == pytest.approx(0.8)


def test_months_multiply_to_the_whole_run():
    made = record(3_000)
    years = monthly_returns(made.curve, made.facts.capital)
    grown = np.prod([1 + month for year in years for month in year.months if month is not None])
    assert grown == pytest.approx(made.curve.equity[-1] / made.facts.capital)
    assert np.prod([1 + year.whole for year in years]) == pytest.approx(grown)


def test_returns_of_lost_money_are_undefined():
    (year,) = monthly_returns(curve(((2024, 1, 5), -5), ((2024, 2, 5), 10)), 100)
    assert year.months[:2] == (None, None)


def test_the_rolling_ratio_of_a_window_is_the_ratio_of_its_days():
    made = record(24 * 200)
    rolling = rolling_sharpe(made.curve)
    returns = daily_returns(daily_closes(made.curve))
    assert rolling.window == 90
    assert rolling.sharpe[-1] == pytest.approx(sharpe(returns[-90:]))
    assert rolling.times[-1] % DAY_MS == 0
    assert rolling_sharpe(record(24 * 50).curve).window == 30
    assert rolling_sharpe(record(24 * 20).curve) is None


def test_a_spread_counts_every_value_once_and_has_zero_as_an_edge():
    values = np.concatenate([np.random.default_rng(1).normal(1, 2, 5_000), [500.0, np.nan]])
    spread = histogram(values)
    assert spread.counts.sum() == 5_001
    assert np.abs(spread.edges).min() == pytest.approx(0)
    assert spread.above >= 1
    assert histogram(np.array([1.0, 1.0])) is None


def test_thinning_keeps_every_extreme_and_both_ends():
    values = np.random.default_rng(2).normal(size=50_000).cumsum()
    values[[0, 123]] = np.nan
    rows = kept_rows([values], stretches=100)
    assert len(rows) <= 202
    assert {0, 49_999, int(np.nanargmax(values)), int(np.nanargmin(values))} <= set(rows.tolist())
    assert kept_rows([values[:150]], stretches=100).tolist() == list(range(150))


def test_what_is_drawn_is_small_and_holds_no_number_json_does_not_know():
    drawn = payload(record(60_000, every=5))
    assert len(drawn["times"]["curve"]) < 10_000
    assert len(drawn["trades"]) <= 4_000
    assert [panel["name"] for panel in drawn["panels"]] == [
        "Equity", "Buy and hold, on a scale of its own", "Drawdown", "Exposure", "Sharpe of the last 90 days",
    ]  # fmt: skip
    for panel in drawn["panels"]:
        for line in panel["series"]:
            assert len(line["v"]) == len(drawn["times"][line["t"]])
            assert all(value is None or np.isfinite(value) for value in line["v"])


@pytest.mark.parametrize(("share", "apart"), [(1.0, False), (0.5, False), (0.1, True)])
def test_what_holding_had_made_is_drawn_apart_where_it_would_swamp_the_equity(share, apart):
    made = record(500)
    (path,) = made.prices.values()
    held = made.facts.capital * path.close / path.open[0]
    equity = made.facts.capital + share * (np.resize(held, len(made.curve.times)) - made.facts.capital)
    first, second, *_ = payload(replace(made, curve=replace(made.curve, equity=equity)))["panels"]
    assert [line["name"] for line in first["series"]] == (["equity"] if apart else ["equity", "buy and hold"])
    assert second["name"] == ("Buy and hold, on a scale of its own" if apart else "Drawdown")
    # The page scales a panel by its lines that are not quiet: one at least, or nothing of it shows.
    assert all({line["tone"] for line in one["series"]} != {"quiet"} for one in (first, second))


def test_trades_are_split_by_what_tells_them_apart():
    found = {split.by: split for split in splits(record(1_000).trades)}
    assert set(found) == {"side", "way out"}
    assert {line.kind for line in found["side"].lines} == {"long", "short"}
    assert sum(line.count for line in found["side"].lines) == len(record(1_000).trades)


def test_numbers_are_written_for_people():
    assert numbers.signed_money(-12345.6) == "\N{MINUS SIGN}12,346"
    assert numbers.signed_money(3.5) == "+3.50"
    assert numbers.percent(-0.00001) == "0.0 %"
    assert numbers.basis_points(None) == "\N{EN DASH}"
    assert numbers.duration(0.5) == "30 min"
    assert numbers.duration(72) == "3.0 days"
