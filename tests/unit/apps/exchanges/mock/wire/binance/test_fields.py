"""Parameters, read strictly and refused in the venue's words."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.exchanges.mock.wire.binance.fields import Params
from apps.exchanges.mock.wire.binance.refusals import RefusedError


def code(caught: pytest.ExceptionInfo[RefusedError]) -> int:
    return caught.value.code


def test_query_and_body_are_read_apart_and_the_query_prevails() -> None:
    params = Params.of_texts("symbol=BTCUSDT&side=BUY", "side=SELL&price=1&price=2&empty=")
    assert (params.text("symbol"), params.text("side"), params.text("price")) == ("BTCUSDT", "BUY", "2")
    assert params.find("empty") is None
    with pytest.raises(RefusedError, match="'empty' was not sent") as caught:
        params.text("empty")
    assert code(caught) == -1102


@pytest.mark.parametrize("text", ["NaN", "Infinity", "1e5", "-1", "+1", "1_0", ".5", "1.", "0x1", "\u0661"])
def test_numbers_are_written_out(text: str) -> None:
    with pytest.raises(RefusedError) as caught:
        Params({"price": text}).decimal("price")
    assert code(caught) == -1100


def test_words_outside_the_list_have_a_code_of_their_own() -> None:
    for name, number in (("type", -1116), ("side", -1117), ("timeInForce", -1115), ("interval", -1120), ("x", -1130)):
        with pytest.raises(RefusedError) as caught:
            Params({name: "odd"}).choice(name, ("even",))
        assert code(caught) == number
    assert Params({}).choice("x", ("even",), "even") == "even"
    assert [Params({"f": text}).flag("f") for text in ("true", "FALSE", "")] == [True, False, False]
    with pytest.raises(RefusedError):
        Params({"f": "yes"}).flag("f")


@given(st.text(max_size=30))
def test_whatever_is_sent_is_read_or_refused(text: str) -> None:
    params = Params({"x": text})
    for read in (params.decimal, params.whole, params.flag, params.find_decimal, params.find_whole):
        with suppress(RefusedError):
            read("x")
