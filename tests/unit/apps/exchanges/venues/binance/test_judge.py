"""What every kind of answer means, and what the venue's headers tell the budgets."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from apps.exchanges.throttling import Unlimited
from apps.exchanges.venues.binance.judge import FIREWALL_SECONDS, RETRY_AFTER_SECONDS, Judge, refusal_code
from moondev.domain.errors import Connectivity, NotSent, RateLimited, VenueRejected


class Notebook(Unlimited):
    """Writes down what a throttle is told."""

    def __init__(self) -> None:
        self.used: dict[str, int] = {}
        self.rests: list[float] = []

    def heard(self, used: Mapping[str, int]) -> None:
        self.used.update(used)

    def rest(self, seconds: float, reason: str) -> None:
        self.rests.append(seconds)


def body(code: int, message: str = "words") -> str:
    return json.dumps({"code": code, "msg": message})


def test_what_the_venue_counts_is_passed_on() -> None:
    book = Notebook()
    headers = {"X-MBX-USED-WEIGHT-1M": "17", "X-MBX-ORDER-COUNT-10S": "3", "X-MBX-ORDER-COUNT-1M": "nonsense"}
    Judge(book)(200, headers, "{}")
    assert book.used == {"weight": 17, "orders_10s": 3}
    assert book.rests == []


@pytest.mark.parametrize(
    ("status", "headers", "text", "seconds"),
    [
        (429, {"Retry-After": "7"}, body(-1003), 7.0),
        (429, {}, "", RETRY_AFTER_SECONDS),
        (418, {"Retry-After": "120"}, "banned", 120.0),
        (400, {}, body(-1003), RETRY_AFTER_SECONDS),
        (429, {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, "", RETRY_AFTER_SECONDS),
        (403, {}, "<html>forbidden</html>", FIREWALL_SECONDS),
    ],
)
def test_who_asks_too_much_rests(status: int, headers: dict[str, str], text: str, seconds: float) -> None:
    book = Notebook()
    with pytest.raises(RateLimited) as caught:
        Judge(book)(status, headers, text)
    assert caught.value.retry_after_seconds == seconds
    assert book.rests == [seconds]


@pytest.mark.parametrize(("status", "code"), [(429, -1015), (503, -1008), (429, -1008)])
def test_too_many_orders_and_a_busy_venue_do_not_stop_cancels(status: int, code: int) -> None:
    book = Notebook()
    with pytest.raises(RateLimited):
        Judge(book)(status, {"Retry-After": "3"}, body(code))
    assert book.rests == ([] if code == -1015 or status != 429 else [3.0])


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (503, body(-1007)),
        (400, body(-1007)),
        (408, body(-1007)),
        (400, body(-1000)),
        (400, body(-1001)),
        (400, body(-1006)),
        (500, "Internal Server Error"),
        (502, ""),
        (504, "<html>"),
        (408, ""),
        (499, ""),
    ],
)
def test_what_the_venue_does_not_know_we_do_not_know(status: int, text: str) -> None:
    with pytest.raises(Connectivity) as caught:
        Judge(Notebook())(status, {}, text)
    assert not isinstance(caught.value, NotSent)


@pytest.mark.parametrize("code", [-1021, -1022, -2010, -2011, -2013, -2015, -2019, -2022, -4116, -4164, -5022])
def test_a_refusal_keeps_the_venue_s_number_and_words(code: int) -> None:
    book = Notebook()
    with pytest.raises(VenueRejected, match="no room") as caught:
        Judge(book)(400, {}, body(code, "no room"))
    assert refusal_code(caught.value) == code
    assert book.rests == []


def test_a_refusal_without_a_number_is_one_all_the_same() -> None:
    for status, text in ((404, "<html>"), (400, ""), (401, "[]"), (400, '{"code":"-1"}')):
        with pytest.raises(VenueRejected) as caught:
            Judge(Notebook())(status, {}, text)
        assert refusal_code(caught.value) is None
