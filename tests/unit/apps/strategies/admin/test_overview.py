from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.exchanges.models import InstrumentRow, Position, TradingMode, TradingState
from apps.strategies.admin.overview import next_due, outcome, overviews, state_of
from apps.strategies.models import StrategyRow, Tick

NOW = datetime(2025, 7, 1, 12, 0, 30, tzinfo=UTC)


def tick(strategy, number, **values):
    return Tick.objects.create(
        strategy=strategy, trigger="interval", event=str(number), status="done", due_at=NOW + timedelta(seconds=number),
        deadline=NOW, **values,
    )  # fmt: skip


def queries(rows):
    with CaptureQueriesContext(
        connection,
    ) as captured:
        overviews(rows)
    return len(captured)


def test_the_overview_shows_the_newest_tick_the_position_and_the_profit(strategy, account):
    for number in range(3):
        tick(strategy, number)
    Position.objects.create(
        account=account, strategy=strategy.slug, instrument=InstrumentRow.objects.first(), quantity=Decimal("-0.5"),
        realised=Decimal(100), fees=Decimal("2.5"), funding=Decimal("0.25"), updated_at=NOW,
    )  # fmt: skip
    TradingState.objects.create(scope_kind="strategy", scope_key=strategy.slug, mode="halted", changed_at=NOW)
    seen = overviews([strategy])[strategy.pk]
    assert (seen.last_tick.event, seen.holdings, seen.realised) == ("2", ("-0.5 BTC",), Decimal("97.75"))
    assert seen.mode is TradingMode.HALTED


def test_a_strategy_without_a_past_is_flat_and_active(strategy):
    seen = overviews([strategy])[strategy.pk]
    assert (seen.last_tick, seen.holdings, seen.realised, seen.mode) == (None, (), 0, TradingMode.ACTIVE)


def test_twenty_strategies_cost_no_more_queries_than_one(strategy, another):
    others = [another(f"turtle-{number}") for number in range(20)]
    for row in [strategy, *others]:
        tick(row, 1)
    assert queries([strategy]) == queries(others)
    assert {seen.last_tick.strategy_id for seen in overviews(others).values()} == {row.pk for row in others}


def test_an_empty_list_has_no_overviews(db):
    assert overviews([]) == {}


@pytest.mark.parametrize(
    ("changes", "due"),
    [
        ({}, NOW.replace(minute=1, second=0)),
        ({"cadence_seconds": 7}, datetime.fromtimestamp((int(NOW.timestamp()) // 7 + 1) * 7, tz=UTC)),
        ({"trigger": "book"}, None),
        ({"enabled": False}, None),
        ({"paused_reason": "why"}, None),
    ],
)
def test_the_next_tick_is_due_at_the_next_multiple_of_the_cadence(changes, due):
    values = {"trigger": "interval", "cadence_seconds": 60, "enabled": True, **changes}
    assert next_due(StrategyRow(**values), NOW) == due


@pytest.mark.parametrize(
    ("enabled", "reason", "word"), [(True, "", "enabled"), (True, "why", "paused"), (False, "why", "disabled")]
)
def test_the_state_is_one_word(enabled, reason, word):
    assert state_of(StrategyRow(enabled=enabled, paused_reason=reason)) == word


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"placed": 2, "cancelled": 1}, "2 placed, 1 cancelled"),
        ({"refused": 1, "report": {"refusals": [{"code": "DATA_TOO_OLD"}]}}, "1 refused (DATA_TOO_OLD)"),
        ({"error": "ValueError: nonsense"}, "ValueError: nonsense"),
        ({}, "no change"),
        ({"status": "running"}, ""),
    ],
)
def test_the_outcome_of_a_tick_is_said_in_a_few_words(values, words):
    assert outcome(Tick(**{"report": {}, "status": "done", **values})) == words
