"""A rule is a sentence that is true or false, whatever the values; anything else is refused when it is saved."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.risk.rules.language import holds, require_rule
from apps.risk.rules.vocabulary import WORDS
from moondev.domain.errors import InvalidValue

SAMPLE = {name: word.sample for name, word in WORDS.items()}


@pytest.mark.parametrize(
    "expression",
    [
        "notional < 20000.0",
        "weekday <= 5 && hour >= 8 && hour < 20",
        "side == 'buy' || strategy_drawdown < 0.05",
        "asset in ['BTC', 'ETH']",
        "gross <= strategy_equity * 2.0",
        "!(venue == 'bybit' && notional > 1000.0)",
        "notional / 2.0 < 5000.0",
        "asset == 'BTC' ? notional < 50000.0 : notional < 5000.0",
        "instrument.startsWith('hyperliquid:')",
    ],
)
def test_sentences_of_known_words_are_rules(expression):
    require_rule(expression)


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("", "a rule of at most 500 characters"),
        ("notional < 1.0 " + "&& true " * 100, "a rule of at most 500 characters"),
        ("notional <", "a sentence of the language"),
        ("notionall < 20000.0", "expression is 'notionall'; allowed: only the words instrument"),
        ("notional < 20000.0 || drawdwn > 0.1", "drawdwn"),
        ("notional / position < 2.0", "division by a number other than 0"),
        ("notional / 0.0 < 2.0", "division by a number other than 0"),
        ("notional / (position + 1.0) < 2.0", "division by a number other than 0"),
        ("notional * 2 < 100.0", "known values of one kind"),
        ("hour + 9223372036854775807 > 0", "known values of one kind"),
        ("notional + 1.0", "something that is true or false"),
        ("asset", "something that is true or false"),
        ("[1, 2, 3].all(x, x > 0)", "only the words"),
        ("asset.matches('(a+)+$')", "matches"),
        ("__import__('os').system('true') == 0", "only the words|comparisons"),
        ("size('abc') == 3", "size"),
    ],
)
def test_anything_else_is_refused_with_the_reason(expression, words):
    with pytest.raises(InvalidValue, match=words):
        require_rule(expression)


def test_a_slash_within_a_text_divides_nothing():
    require_rule("instrument != 'binance:BTC/USDT'")


def test_what_is_not_known_is_neither_true_nor_false():
    known = {name: value for name, value in SAMPLE.items() if name != "strategy_drawdown"}
    with pytest.raises(InvalidValue, match="strategy_drawdown"):
        holds("strategy_drawdown < 0.05", known)
    assert holds("side == 'buy' || strategy_drawdown < 0.05", known), "what is not needed need not be known"


@given(st.text(alphabet="abnoti ()<>=&|!+-*/.0123456789'\"[],?:", max_size=40))
def test_no_text_does_more_than_be_refused(text):
    try:
        require_rule(text)
    except InvalidValue:
        return
    assert isinstance(holds(text, SAMPLE), bool)


@given(st.floats(0, 1e9), st.floats(-1e6, 1e6))
def test_a_rule_answers_as_python_would(notional, position):
    values = {**SAMPLE, "notional": notional, "position": position}
    found = holds("notional * 2.0 - position > 1000.0 || position < 0.0", values)
    assert found is (notional * 2.0 - position > 1000.0 or position < 0.0)
