"""A record holds all of a run, and comes back from storage as it was."""

import json
from dataclasses import asdict

import numpy as np
import pytest

from apps.strategies.backtest.archive import (
    curve_from_bytes,
    curve_to_bytes,
    prices_from_bytes,
    prices_to_bytes,
    trades_from_bytes,
    trades_to_bytes,
)
from apps.strategies.backtest.costs import Costs, SquareRootImpact
from apps.strategies.backtest.prices import path_of
from apps.strategies.backtest.record import costs_told, facts_of_json, metrics_of_json, refusals_counted
from moondev.domain.errors import InvalidValue
from tests.unit.apps.strategies.backtest.runs import INSTRUMENT, record, walk


def test_facts_and_metrics_come_back_from_json_as_they_were():
    made = record(200)
    assert facts_of_json(json.loads(json.dumps(made.facts.to_json()))) == made.facts
    assert metrics_of_json(json.loads(json.dumps(asdict(made.metrics)))) == made.metrics
    assert metrics_of_json({"days": 3}).sharpe is None


def test_facts_tell_what_the_run_was_made_from():
    facts = record(200).facts
    assert (facts.currency, facts.capital, facts.rule, facts.engine) == ("USDT", 10_000, "next open", "bars")
    told = facts.data[INSTRUMENT.key]
    assert told.description == "invented_1h: 200 bars"
    assert told.rules == "tick 0.1, lot 0.001, smallest order 10 USDT"
    assert facts.costs[INSTRUMENT.key].source == "as asked"


def test_curve_trades_and_prices_come_back_from_bytes_as_they_were():
    made = record(500)
    curve = curve_from_bytes(curve_to_bytes(made.curve))
    for name in ("times", "equity", "exposure"):
        np.testing.assert_array_equal(getattr(curve, name), getattr(made.curve, name))
    assert trades_from_bytes(trades_to_bytes(made.trades)) == made.trades
    assert trades_from_bytes(trades_to_bytes(())) == ()
    two = {"a:BTC": path_of(walk(50)), "b:ETH": path_of(walk(60, seed=8))}
    back = prices_from_bytes(prices_to_bytes(two))
    assert list(back) == ["a:BTC", "b:ETH"]
    np.testing.assert_array_equal(back["b:ETH"].close, two["b:ETH"].close)
    assert back["a:BTC"].step_ms == two["a:BTC"].step_ms
    assert prices_from_bytes(b"") == {}
    with pytest.raises(InvalidValue, match="curve"):
        curve_from_bytes(b"no parquet")


def test_a_year_of_minutes_takes_a_few_bytes_a_row():
    made = record(50_000)
    assert len(curve_to_bytes(made.curve)) < 17 * len(made.curve)
    assert len(prices_to_bytes(made.prices)) < 300_000


def test_costs_are_told_in_words():
    told = costs_told(Costs(1, 2, slippage=SquareRootImpact(10)))
    assert told.slippage == "10 bp x sqrt(order / volume of the bar), at most 500 bp"
    assert told.funding == "none"


def test_refusals_are_counted_by_their_code():
    lines = ["DATA_AGE: 12 times, first 2025-01-01 00:00: stale", "NOTIONAL: too small", "NOTIONAL: too small again"]
    assert refusals_counted(lines) == {"DATA_AGE": 12, "NOTIONAL": 2}
