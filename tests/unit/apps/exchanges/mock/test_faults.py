"""Fault rules: read strictly, drawn reproducibly, counted down."""

from __future__ import annotations

import pytest

from apps.exchanges.mock.faults import FaultBook, FaultKind, FaultRule, read_rule


def test_a_rule_strikes_as_often_as_it_says_and_only_what_it_names() -> None:
    book = FaultBook()
    book.add(
        read_rule({"venue": "hyperliquid", "kind": "error_5xx", "count": 2, "path": "/exchange", "action": "order"})
    )
    draws = [
        book.strike(FaultKind.ERROR_5XX, "hyperliquid", path, action)
        for path, action in [
            ("/info", "order"),
            ("/exchange", "cancel"),
            ("/exchange", "order"),
            ("/exchange", "order"),
            ("/exchange", "order"),
        ]
    ]
    assert [draw is not None for draw in draws] == [False, False, True, True, False]
    assert book.strike(FaultKind.ERROR_5XX, "binance", "/exchange", "order") is None


def test_draws_repeat_with_the_seed() -> None:
    def run(seed: int) -> list[bool]:
        book = FaultBook(seed)
        book.add(FaultRule(FaultKind.RATE_LIMIT, "hyperliquid", probability=0.5))
        return [book.strike(FaultKind.RATE_LIMIT, "hyperliquid", "/info", "meta") is not None for _ in range(40)]

    assert run(1) == run(1)
    assert run(1) != run(2)
    assert 5 < sum(run(1)) < 35


def test_skews_add_up_and_clearing_ends_them() -> None:
    book = FaultBook()
    book.add(FaultRule(FaultKind.CLOCK_SKEW_MS, "hyperliquid", value=1500))
    book.add(FaultRule(FaultKind.CLOCK_SKEW_MS, "hyperliquid", value=-500))
    assert book.skew_ms("hyperliquid") == 1000
    assert book.skew_ms("bybit") == 0
    assert [rule["id"] for rule in book.listing()] == [1, 2]
    assert book.clear() == 2
    assert book.skew_ms("hyperliquid") == 0
    assert book.listing() == []


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ("latency", "a fault is an object"),
        ({}, "kind must be one of"),
        ({"kind": "earthquake"}, "kind must be one of"),
        ({"kind": ["reject"]}, "kind has the wrong type"),
        ({"kind": "reject", "odds": 1}, "unknown field 'odds'"),
        ({"kind": "latency_ms"}, "value of latency_ms"),
        ({"kind": "latency_ms", "value": 10**9}, "value of latency_ms"),
        ({"kind": "latency_ms", "value": "long"}, "must be a number"),
        ({"kind": "error_5xx", "value": 404}, "status from 500 to 599"),
        ({"kind": "ws_stall"}, "seconds above 0"),
        ({"kind": "ws_gap", "value": -1}, "seconds above 0"),
        ({"kind": "ws_refuse", "value": 10**6}, "at most 86400"),
        ({"kind": "ws_refuse", "value": 1, "path": "/fapi"}, "path of ws_refuse must be /ws"),
        ({"kind": "clock_skew_ms", "value": 0}, "other than 0"),
        ({"kind": "ban", "value": 429}, "one of 403, 418"),
        ({"kind": "rate_limit", "value": 429}, "takes no value"),
        ({"kind": "drop_before", "value": "x"}, "takes no value"),
        ({"kind": "drop_before", "path": "exchange"}, "path must start with /"),
        ({"kind": "rate_limit", "probability": 0}, "probability must be"),
        ({"kind": "rate_limit", "probability": 1.5}, "probability must be"),
        ({"kind": "rate_limit", "count": 0}, "count must be"),
        ({"kind": "rate_limit", "count": True}, "count has the wrong type"),
    ],
)
def test_refuses_a_rule_it_does_not_understand(raw: object, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read_rule(raw)
