"""An outage happens once, when it is due, and ends even when the run ends first."""

from __future__ import annotations

import pytest

from apps.monitor.demo.outage import Breaker, Outage, read_outage
from moondev.domain.errors import Configuration, InvalidValue

URL = "http://localhost:1"


class Reply:
    def __init__(self, ok: bool = True) -> None:
        self.ok, self.text = ok, "no such venue"


@pytest.fixture
def said(monkeypatch):
    calls: list[tuple[str, dict]] = []
    monkeypatch.setattr("requests.post", lambda url, json, timeout: calls.append(("post", json)) or Reply())
    monkeypatch.setattr("requests.delete", lambda url, json, timeout: calls.append(("delete", json)) or Reply())
    return calls


def test_an_outage_is_read_with_its_times_or_takes_the_middle_third() -> None:
    assert read_outage("binance:40:30", None) == Outage("binance", 40.0, 30.0)
    assert read_outage("binance", 120.0) == Outage("binance", 40.0, 40.0)


@pytest.mark.parametrize("text", ["binance", "binance:40", "binance:x:y", ":1:2", ""])
def test_anything_else_is_refused_with_what_is_allowed(text) -> None:
    with pytest.raises(InvalidValue, match="venue:after:seconds"):
        read_outage(text, None)


def test_nobody_who_was_cut_off_can_come_back_before_it_ends(said) -> None:
    breaker = Breaker(URL, Outage("binance", 10, 5))
    assert breaker.look(9.9) is None
    assert said == []
    assert "stops answering" in breaker.look(10.0)
    assert [body["kind"] for _, body in said] == ["ws_refuse", "drop_before", "ws_disconnect"]
    assert {body["venue"] for _, body in said} == {"binance"}
    assert breaker.look(12.0) is None
    assert "answers again" in breaker.look(15.0)
    assert said[-1] == ("delete", {"venue": "binance"})
    assert breaker.look(20.0) is None
    assert breaker.end() is None


def test_a_run_that_ends_during_the_outage_ends_it(said) -> None:
    breaker = Breaker(URL, Outage("binance", 0, 1000))
    breaker.look(1.0)
    assert "answers again" in breaker.end()


def test_an_outage_that_never_began_ends_nothing(said) -> None:
    assert Breaker(URL, Outage("binance", 10, 5)).end() is None
    assert said == []


def test_a_refusal_of_the_mock_is_told_in_its_own_words(monkeypatch) -> None:
    monkeypatch.setattr("requests.post", lambda url, json, timeout: Reply(ok=False))
    with pytest.raises(Configuration, match="no such venue"):
        Breaker(URL, Outage("binance", 0, 1)).look(0.0)
