"""Which answers are believed, and what is learnt from those that are not."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from apps.exchanges.ports import ParseError
from apps.exchanges.throttling import Unlimited
from apps.exchanges.venues.phemex.rest import Judge
from moondev.domain.errors import Connectivity, RateLimited, TradingError, VenueRejected

FINE = json.dumps({"code": 0, "msg": "", "data": None})


class Notebook(Unlimited):
    """A throttle that writes down what it is told."""

    def __init__(self) -> None:
        self.used: list[Mapping[str, int]] = []
        self.rests: list[float] = []

    def heard(self, used: Mapping[str, int]) -> None:
        self.used.append(used)

    def rest(self, seconds: float, reason: str) -> None:
        self.rests.append(seconds)


@pytest.fixture
def notes() -> Notebook:
    return Notebook()


@pytest.mark.parametrize("body", [FINE, json.dumps({"error": None, "id": 0, "result": []}), "{}"])
def test_a_success_passes(notes: Notebook, body: str) -> None:
    Judge(notes)(200, {}, body)
    assert (notes.used, notes.rests) == ([], [])


def test_what_is_left_is_passed_on_by_group(notes: Notebook) -> None:
    Judge(notes)(200, {"X-RateLimit-Remaining-Contract": "480", "x-ratelimit-capacity-contract": "500"}, FINE)
    Judge(notes)(200, {"x-ratelimit-remaining": "99"}, FINE)
    # Who has a larger allowance is told of more than we count with.
    Judge(notes)(200, {"x-ratelimit-remaining-Contract": "4999"}, FINE)
    Judge(notes)(200, {"x-ratelimit-remaining-Contract": "many"}, FINE)
    assert notes.used == [{"contract": 20}, {"others": 1}, {"contract": 0}]


@pytest.mark.parametrize(
    ("status", "headers", "body", "seconds"),
    [
        (429, {"x-ratelimit-retry-after-Contract": "7"}, "", 7.0),
        (429, {"x-ratelimit-retry-after": "300"}, "{}", 300.0),
        (429, {}, "slow down", 60.0),
        (200, {}, json.dumps({"code": "39995", "msg": "Too many requests."}), 60.0),
        (403, {}, "<html>Request blocked.</html>", 60.0),
        (418, {}, "", 60.0),
    ],
)
def test_too_many_requests_send_everybody_to_rest(
    notes: Notebook, status: int, headers: dict[str, str], body: str, seconds: float
) -> None:
    with pytest.raises(RateLimited) as caught:
        Judge(notes)(status, headers, body)
    assert caught.value.retry_after_seconds == seconds
    assert notes.rests == [seconds]


@pytest.mark.parametrize("status", [500, 502, 503, 504, 408, 499])
def test_a_broken_venue_may_have_done_it(notes: Notebook, status: int) -> None:
    """The venue's own words: after a 5xx the status of the request is unknown."""
    with pytest.raises(Connectivity) as caught:
        Judge(notes)(status, {}, FINE)
    assert not isinstance(caught.value, ParseError)


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (200, {"code": 11_001, "msg": "TE_NO_ENOUGH_AVAILABLE_BALANCE", "data": None}, "11001"),
        (200, {"code": "10002", "msg": None, "data": None}, "10002"),
        (200, {"error": {"code": 6001, "message": "invalid argument"}, "id": None, "result": None}, "6001"),
        (401, {"code": 10_500, "msg": "API Signature verification failed."}, "10500"),
        (403, {"msg": "no"}, "0"),
        (404, "not json", "HTTP 404"),
    ],
)
def test_a_refusal_keeps_code_words_and_status(notes: Notebook, status: int, body: object, code: str) -> None:
    text = body if isinstance(body, str) else json.dumps(body)
    with pytest.raises(VenueRejected) as caught:
        Judge(notes)(status, {}, text)
    assert (caught.value.code, caught.value.http_status) == (code, status)
    assert caught.value.body


@pytest.mark.parametrize("body", ["", "<html>", "[]", "null", '{"code": []}', '{"code": 0', '{"error": "no"}'])
def test_a_success_that_is_no_answer_is_an_unknown_outcome(notes: Notebook, body: str) -> None:
    with pytest.raises(ParseError):
        Judge(notes)(200, {}, body)


def test_nothing_else_is_ever_raised(notes: Notebook) -> None:
    for status in range(100, 600):
        for body in (FINE, "", '{"code": 1}', "\x00"):
            try:
                Judge(notes)(status, {"x-ratelimit-remaining": "-1"}, body)
            except TradingError:
                continue
