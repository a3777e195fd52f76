"""On paper any code may run; with real money only what passed the gates may open."""

import pytest

from apps.exchanges.models import Environment
from apps.strategies.models import Stage, StrategyRow
from apps.strategies.promotion.certificate import why_not
from apps.strategies.promotion.stages import ORDER, may_trade, stage_after, stage_before
from moondev.domain.errors import InvalidValue


def row(stage, **more):
    return StrategyRow(
        **{"stage": stage, "parameters_version": 3, "certified_version": 3, "certified_hash": "f00", **more}
    )


@pytest.mark.parametrize("environment", [Environment.PAPER, Environment.TESTNET])
def test_paper_takes_any_version_once_the_idea_has_left_research(environment):
    assert "research does not trade" in why_not(row(Stage.RESEARCH), environment, "f00")
    for stage in ORDER[1:]:
        assert why_not(row(stage, certified_version=0, certified_hash=""), environment, "new") == ""


@pytest.mark.parametrize("stage", [Stage.RESEARCH, Stage.PAPER])
def test_below_limited_live_nothing_opens_with_real_money(stage):
    assert f"stage {stage} does not trade on a live account" in why_not(row(stage), Environment.LIVE, "f00")


@pytest.mark.parametrize("stage", [Stage.LIMITED_LIVE, Stage.LIVE])
def test_an_edit_of_parameters_or_code_takes_the_right_to_open_away(stage):
    assert why_not(row(stage), Environment.LIVE, "f00") == ""
    assert "version 4 has not passed" in why_not(row(stage, parameters_version=4), Environment.LIVE, "f00")
    assert "code beef has not passed" in why_not(row(stage), Environment.LIVE, "beef")


def test_stages_follow_each_other_and_end():
    assert [stage_after(stage) for stage in ORDER[:-1]] == list(ORDER[1:])
    assert [stage_before(stage) for stage in ORDER[1:]] == list(ORDER[:-1])
    with pytest.raises(InvalidValue, match="nothing comes after live"):
        stage_after(Stage.LIVE)
    with pytest.raises(InvalidValue, match="research is the first"):
        stage_before(Stage.RESEARCH)
    assert not may_trade(Stage.RESEARCH, Environment.PAPER)
