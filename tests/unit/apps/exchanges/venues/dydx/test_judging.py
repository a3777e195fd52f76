"""What an answer of the indexer or the node means, before ccxt can make something else of it."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from apps.exchanges.throttling import Unlimited
from apps.exchanges.venues.dydx.judging import Judge, TransactionRefused, Unknown
from moondev.domain.errors import Connectivity, RateLimited, VenueRejected


class Books(Unlimited):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.used: list[Mapping[str, int]] = []
        self.rested: list[float] = []

    def heard(self, used: Mapping[str, int]) -> None:
        self.used.append(used)

    def rest(self, seconds: float, reason: str) -> None:
        self.rested.append(seconds)


def checked(code: int, codespace: str = "clob", log: str = "why") -> str:
    result = {"code": code, "data": "", "log": log, "codespace": codespace, "hash": "AB"}
    return json.dumps({"jsonrpc": "2.0", "id": -1, "result": result})


def test_an_answer_that_can_be_read_passes_and_its_allowance_is_noted() -> None:
    books = Books()
    Judge(books)(200, {"RateLimit-Remaining": "93", "RateLimit-Limit": "100"}, "{}")
    Judge(books)(200, {"RateLimit-Remaining": "900", "RateLimit-Limit": "1000"}, "{}")
    Judge(books)(200, {"RateLimit-Remaining": "many", "RateLimit-Limit": "100"}, checked(0, ""))
    Judge(books)(200, {}, '{"codespace": nonsense')
    assert books.used == [{"indexer": 7}]


def test_a_transaction_the_node_does_not_take_is_a_refusal_in_its_words() -> None:
    with pytest.raises(TransactionRefused, match="collateral") as refused:
        Judge(Books())(200, {}, checked(3007, log="no collateral"))
    assert refused.value.code == "clob:3007"
    # ccxt makes InvalidOrder of sdk code 32 too, although it is about a nonce (wire.md 1.4).
    with pytest.raises(TransactionRefused) as refused:
        Judge(Books())(200, {}, checked(32, "sdk"))
    assert refused.value.code == "sdk:32"


def test_a_full_block_is_no_refusal_of_the_order() -> None:
    books = Books()
    with pytest.raises(RateLimited) as limited:
        Judge(books)(200, {}, checked(5001))
    assert limited.value.retry_after_seconds == 1.0
    assert books.rested == [], "the indexer may still be asked"
    with pytest.raises(TransactionRefused):
        Judge(books)(200, {}, checked(5001, "another module"))


@pytest.mark.parametrize(("header", "seconds"), [("7", 7.0), ("soon", 10.0), ("0", 10.0), (None, 10.0)])
def test_too_many_questions_make_everybody_rest(header: str | None, seconds: float) -> None:
    books = Books()
    with pytest.raises(RateLimited) as limited:
        Judge(books)(429, {} if header is None else {"Retry-After": header}, "Too many requests")
    assert limited.value.retry_after_seconds == seconds
    assert books.rested == [seconds]


def test_statuses_mean_what_they_say() -> None:
    judge = Judge(Books())
    with pytest.raises(Unknown):
        judge(404, {}, "{}")
    with pytest.raises(VenueRejected) as refused:
        judge(403, {}, "blocked")
    assert refused.value.http_status == 403
    for status in (500, 502, 503):
        with pytest.raises(Connectivity):
            judge(status, {}, "broken")
