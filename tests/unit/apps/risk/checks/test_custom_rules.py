from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from apps.risk.checks.custom_rules import find_broken_rule
from apps.risk.review import review
from apps.risk.rules.book import Rule
from moondev.domain.decisions import RefusalCode
from moondev.domain.values import Side

NOW = datetime(2025, 7, 1, 12, tzinfo=UTC)
MINE, OTHER = ("strategy", "turtle"), ("strategy", "maker")


def under(facts, *rules):
    return replace(facts, rules=rules, read_at=NOW)


def test_an_order_opens_when_every_rule_around_it_holds(candidate, facts):
    rules = Rule("small", MINE, "notional < 20000.0"), Rule("noon", ("everything", "*"), "hour == 12 && weekday == 2")
    assert find_broken_rule(candidate(quantity="0.1", facts=under(facts, *rules))) is None


def test_the_first_rule_that_does_not_hold_is_named_with_its_words(candidate, facts):
    rules = Rule("long-only", MINE, "side != 'buy'"), Rule("small", MINE, "notional < 1.0")
    breach = find_broken_rule(candidate(quantity="0.1", facts=under(facts, *rules)))
    assert breach is not None
    assert (breach.code, breach.limit) == (RefusalCode.CUSTOM_RULE, "long-only: side != 'buy'")


def test_rules_of_other_scopes_are_not_asked(candidate, facts):
    assert find_broken_rule(candidate(facts=under(facts, Rule("never", OTHER, "false")))) is None


def test_what_cannot_be_told_does_not_open(candidate, facts):
    unknown = replace(under(facts, Rule("calm", MINE, "strategy_drawdown < 0.1")), strategy_drawdown=None)
    breach = find_broken_rule(candidate(facts=unknown))
    assert breach is not None
    assert "strategy_drawdown" in str(breach.value)


@pytest.mark.parametrize("expression", ["gross < 16000.0", "added <= 10000.0", "position == 0.0"])
def test_sums_count_what_the_batch_has_approved_before(candidate, facts, expression):
    assert find_broken_rule(candidate(quantity="0.1", facts=under(facts, Rule("sum", MINE, expression)))) is None


def test_exits_are_never_asked(facts, market, place):
    never = under(facts, Rule("never", ("everything", "*"), "false"))
    reviewed = review([place(Side.SELL, "0.1")], market(held="0.1"), never)
    assert (len(reviewed.approved), reviewed.refused) == (1, [])
    reviewed = review([place(Side.BUY, "0.1")], market(held="0.1"), never)
    assert [refusal.code for refusal in reviewed.refused] == [RefusalCode.CUSTOM_RULE]
