"""Codes of others as labels."""

from __future__ import annotations

from moondev.counting.codes import MOST, OTHER, code_label


def test_a_code_is_what_stands_before_the_colon():
    assert code_label("test-a", "-2010: Account has insufficient balance") == "-2010"
    assert code_label("test-a", "11061") == "11061"
    assert code_label("test-a", "Order could not match: asset=3") == OTHER
    assert code_label("test-a", "") == OTHER
    assert code_label("test-a", "x" * 41) == OTHER


def test_who_makes_up_codes_is_heard_a_few_dozen_times():
    heard = {code_label("test-b", f"{number}: no") for number in range(MOST + 20)}
    assert len(heard) == MOST + 1
    assert code_label("test-b", "3: again") == "3"
    assert code_label("test-c", f"{MOST + 5}: elsewhere") == f"{MOST + 5}"
