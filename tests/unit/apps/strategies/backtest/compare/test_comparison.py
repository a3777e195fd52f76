"""Runs are compared with what they differ in, and never ranked across different pasts without a word."""

from dataclasses import replace

import pytest

from apps.strategies.backtest.compare.comparison import compared
from apps.strategies.backtest.compare.page import compare_page
from apps.strategies.backtest.costs import Costs
from apps.strategies.backtest.terminal import comparison_text
from moondev.domain.errors import InvalidValue
from tests.unit.apps.strategies.backtest.runs import record


def test_runs_on_the_same_data_differ_in_their_parameters_only():
    found = compared({"1: day": record(500), "2: week": record(500, every=168)})
    assert found.doubts == ()
    assert {line.name for line in found.made_from if line.differs} == {"every"}
    names = [figures[0].name for figures in found.figures]
    assert names[:3] == ["Net result", "Return", "Sharpe"]
    assert found.figures[4][0].text != found.figures[4][1].text


def test_different_data_costs_rules_and_code_are_said():
    one, other = record(500), record(400, costs=Costs(0, 1))
    key = next(iter(other.facts.data))
    told = replace(other.facts.data[key], content_hash="ef" * 32)
    other = replace(other, facts=replace(other.facts, data={key: told}, rule="bar close", code_hash="00" * 32))
    words = " ".join(compared({"1": one, "2": other}).doubts)
    for wanted in ("different data", "different periods", "different costs", "different rules", "code of the strategy"):
        assert wanted in words
    text = comparison_text(compared({"1": one, "2": other}))
    assert text.startswith("NOT LIKE FOR LIKE")
    assert "bar close" in text


def test_one_run_alone_and_a_crowd_are_refused():
    one = record(100)
    for count in (1, 7):
        with pytest.raises(InvalidValue, match="2 to 6"):
            compared({str(at): one for at in range(count)})


def test_the_page_lays_the_curves_over_each_other():
    page = compare_page({"1: day": record(500), "2: <week>": record(500, every=168)})
    assert "Same data, period, costs and rules" in page
    assert "2: &lt;week&gt;" in page
    assert '<tr class="differs"><th scope="row">every' in page
    assert '"1: day": [' in page
