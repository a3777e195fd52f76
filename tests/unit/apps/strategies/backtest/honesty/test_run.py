"""The questions are asked in one order, each within its budget, and none is answered when the backtest is refused."""

from dataclasses import replace

import pytest

from apps.strategies.backtest.honesty.case import Case, Trials
from apps.strategies.backtest.honesty.check import CheckCode
from apps.strategies.backtest.honesty.run import CHECKS, codes_of, run_checks
from moondev.domain.clock import from_milliseconds
from moondev.domain.errors import InvalidValue
from tests.unit.apps.strategies.backtest.honesty.toys import Momentum, case_of, run, setting_of, walk

TREND = walk(1_200, memory=0.6)


def test_an_honest_strategy_with_an_edge_passes_every_check():
    case, runs = case_of(Momentum(), TREND, parameters={"length": 3})
    asked = []
    answers = run_checks(case, on_check=asked.append)
    assert [answer.code for answer in answers] == asked == list(CheckCode)
    assert {answer.code: answer.words for answer in answers if not answer.passed} == {}
    # Every run but the backtest itself is one that a check says it made.
    assert sum(answer.backtests for answer in answers) == len(runs) - 1
    assert all(answer.backtests <= case.budget for answer in answers)
    assert {answer.days for answer in answers} == {50.0}


def test_what_is_history_to_look_at_is_no_past_that_was_checked():
    case, runs = case_of(Momentum(), TREND, parameters={"length": 3})
    began = from_milliseconds(int(case.stamps[480]))
    late = replace(case, setting=replace(case.setting, trades_from=began))
    answers = run_checks(late)
    assert {answer.days for answer in answers} == {30.0}
    assert answers[0].passed
    cuts = [one.markets[0].recorded.bars.opened_ms[-1] for one in runs[:6]]
    assert all(int(cut) > int(late.stamps[0]) for cut in cuts)


def test_every_question_has_its_check():
    assert list(CHECKS) == list(CheckCode)


def test_the_order_of_asking_is_that_of_the_codes_and_names_may_repeat():
    case, _ = case_of(Momentum(), TREND)
    answers = run_checks(case, [CheckCode.TRADE_ORDER, CheckCode.FEES, CheckCode.FEES])
    assert [answer.code for answer in answers] == [CheckCode.FEES, CheckCode.TRADE_ORDER]


def test_what_refuses_the_backtest_refuses_all_of_it():
    def refusing(idea, setting):
        raise InvalidValue("data", "nothing", "something")

    case, _ = case_of(Momentum(), TREND, engine=refusing)
    for code in CheckCode:
        with pytest.raises(InvalidValue, match="data is 'nothing'"):
            run_checks(case, [code])


def test_what_refuses_only_a_run_of_a_check_leaves_that_check_open():
    def particular(idea, setting):
        if len(setting.markets[0].recorded.bars) < 1_200:
            raise InvalidValue("bars", len(setting.markets[0].recorded.bars), "1200")
        return run(idea, setting)

    case, _ = case_of(Momentum(), TREND, engine=particular, parameters={"length": 3})
    answers = {answer.code: answer for answer in run_checks(case)}
    assert answers[CheckCode.LOOK_AHEAD].passed is None
    assert "a run of this check was refused: bars is" in answers[CheckCode.LOOK_AHEAD].words
    assert answers[CheckCode.FEES].passed


def test_names_of_checks_are_read_and_unknown_ones_refused():
    assert codes_of("all") == tuple(CheckCode)
    assert codes_of("fees, look-ahead") == (CheckCode.FEES, CheckCode.LOOK_AHEAD)
    for text in ("", "fees,luck"):
        with pytest.raises(InvalidValue, match="look-ahead, drift, fees"):
            codes_of(text)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Trials(0),
        lambda: Trials(2, -1.0),
        lambda: Trials(2, float("nan")),
        lambda: Case(run, None, setting_of(TREND), budget=0),
    ],
)
def test_a_case_that_makes_no_sense_is_refused(make):
    with pytest.raises(InvalidValue):
        make()
