"""ccxt's errors as the four outcomes: by what happened, not by ccxt's tree."""

from __future__ import annotations

import ccxt
import pytest

from apps.exchanges.ports import ParseError
from apps.exchanges.venues.ccxt_generic.errors import judge, sorted_error
from moondev.domain.errors import Connectivity, NotSent, RateLimited, TradingError, VenueRejected


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (ccxt.RateLimitExceeded("slow down"), RateLimited),
        (ccxt.DDoSProtection("418"), RateLimited),
        (ccxt.InvalidNonce("clock"), VenueRejected),
        (ccxt.AuthenticationError("key"), VenueRejected),
        (ccxt.InsufficientFunds("margin"), VenueRejected),
        (ccxt.OrderNotFound("gone"), VenueRejected),
        (ccxt.OrderImmediatelyFillable("post only"), VenueRejected),
        (ccxt.BadSymbol("what"), VenueRejected),
        (ccxt.MarginModeAlreadySet("same"), VenueRejected),
        (ccxt.ArgumentsRequired("symbol"), NotSent),
        (ccxt.NotSupported("that"), NotSent),
        (ccxt.RequestTimeout("..."), Connectivity),
        (ccxt.ExchangeNotAvailable("503"), Connectivity),
        (ccxt.OnMaintenance("back soon"), Connectivity),
        (ccxt.BadResponse("<html>"), Connectivity),
        (ccxt.ExchangeError("10016 internal error"), Connectivity),
    ],
)
def test_an_error_means_what_it_says(error: Exception, outcome: type[TradingError]) -> None:
    assert type(sorted_error("create_order", error)) is outcome


def test_an_unknown_outcome_keeps_the_address_that_was_signed_to_itself() -> None:
    found = sorted_error("create_order", ccxt.RequestTimeout("GET https://x/?signature=abc"))
    assert "signature" not in str(found)


@pytest.mark.parametrize(("status", "outcome"), [(429, RateLimited), (418, RateLimited), (403, RateLimited)])
def test_a_ban_is_obeyed(status: int, outcome: type[TradingError]) -> None:
    with pytest.raises(outcome) as caught:
        judge(status, {"Retry-After": "7"}, "no")
    assert caught.value.retry_after_seconds == 7  # type: ignore[attr-defined]
    with pytest.raises(RateLimited) as caught:
        judge(status, {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, "no")
    assert caught.value.retry_after_seconds > 0  # type: ignore[attr-defined]


@pytest.mark.parametrize("status", [500, 502, 503, 504, 408, 425, 499])
def test_a_broken_venue_leaves_everything_open(status: int) -> None:
    with pytest.raises(Connectivity) as caught:
        judge(status, {}, "<html>")
    assert not isinstance(caught.value, NotSent)


@pytest.mark.parametrize("body", ["", "<html>", "null", "0", '"ok"', '{"a":', "[1,"])
def test_text_that_says_nothing_is_no_empty_answer(body: str) -> None:
    with pytest.raises(ParseError):
        judge(200, {}, body)


@pytest.mark.parametrize("status", [200, 400, 401, 404])
def test_other_answers_are_for_ccxt_to_read(status: int) -> None:
    judge(status, {}, "{}")
