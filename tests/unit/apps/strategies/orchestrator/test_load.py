"""Market data that makes no sense fails those who look at it, with its cause, and nobody else."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

import pytest

from apps.risk.sizing.rule import PLAIN, SizingMethod, SizingRule
from apps.strategies.orchestrator import load
from moondev.domain.errors import Connectivity, InvalidValue


def idea(*keys: str) -> SimpleNamespace:
    needs = SimpleNamespace(instruments=keys, bars={})
    scope = SimpleNamespace(strategy="turtle")
    return SimpleNamespace(needs=needs, instruments=dict.fromkeys(keys), keys=keys, scope=scope)


def facts(rule: SizingRule = PLAIN) -> dict[str, SimpleNamespace]:
    return {"turtle": SimpleNamespace(sizing=rule)}


class Cache:
    """Answers for everything but what is broken."""

    def __init__(self, broken: str = "", away: bool = False) -> None:
        self.broken, self.away, self.reads = broken, away, 0

    def views(self, wanted, now):
        self.reads += 1
        if self.away:
            raise Connectivity("market data cache: away")
        if self.broken in wanted:
            raise InvalidValue("bars", "high/low", "high >= open")
        return dict.fromkeys(wanted, "view")


def test_a_shard_is_read_in_one_go() -> None:
    cache = Cache()
    read = load._reader([idea("v:A"), idea("v:B")], facts(), cache, None)
    assert read(idea("v:A")) == read(idea("v:B")) == {"v:A": "view", "v:B": "view"}
    assert cache.reads == 1


def test_what_cannot_be_read_fails_only_who_looks_at_it() -> None:
    bad, good = idea("v:A", "v:BAD"), idea("v:B")
    read = load._reader([bad, good], facts(), Cache(broken="v:BAD"), None)
    assert read(good) == {"v:B": "view"}
    with pytest.raises(InvalidValue):
        read(bad)


def test_a_cache_that_is_away_is_told_for_all_at_once() -> None:
    with pytest.raises(Connectivity):
        load._reader([idea("v:A")], facts(), Cache(away=True), None)


def test_the_message_names_the_instruments_and_the_cause() -> None:
    error = InvalidValue("price", "NaN", "a finite number")
    assert load._unusable(idea("v:A", "v:B"), error).startswith("market data of v:A, v:B: InvalidValue: price is")


def test_the_bars_of_the_sizing_rule_are_read_with_those_of_the_strategy() -> None:
    looks = idea("v:A")
    looks.needs.bars = {timedelta(hours=1): 5, timedelta(minutes=1): 9}
    rule = SizingRule(SizingMethod.REALISED, 0.2, bars=20)
    (wanted,) = load._wanted([looks], facts(rule)).values()
    assert wanted.bars == {timedelta(hours=1): 21, timedelta(minutes=1): 9}
