"""Limits on a real database: they bind the next tick, and no two ticks can overrun one together."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.exchanges.models import (
    Account,
    EquityMark,
    InstrumentRow,
    ScopeKind,
    TradingMode,
)
from apps.risk.facts import load_facts
from apps.risk.models import Allocation, HighWaterMark, Limit, LimitChange, LimitKind
from apps.risk.services import SEED_LIMITS, limit_set, seed_limits
from moondev.domain.decisions import RefusalCode
from moondev.domain.errors import InvalidValue
from tests.integration.limits_world import (
    EQUITY,
    NOW,
    D,
    mark_equity,
    order_of,
    paper_account,
    reserve_all,
    run_threads,
    scope_of,
    strategies_at,
    three_instruments,
    used,
)

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def account() -> Account:
    return paper_account()


@pytest.fixture
def instruments(account: Account) -> dict[str, InstrumentRow]:
    return three_instruments(account)


def test_seeded_limits_have_a_history_and_are_seeded_once(account: Account) -> None:
    assert {limit.kind: limit.value for limit in Limit.objects.all()} == dict(SEED_LIMITS)
    assert LimitChange.objects.count() == len(SEED_LIMITS)
    limit_set(
        kind=LimitKind.ASSET_SHARE, scope_kind="portfolio", scope_key="paper", value=D("0.2"), actor="ann", now=NOW
    )
    assert seed_limits("paper", actor="test", now=NOW) == []
    assert Limit.objects.get(kind=LimitKind.ASSET_SHARE).value == D("0.2")


def test_every_change_of_a_limit_is_a_version_with_its_author(account: Account) -> None:
    strategies_at(account, "turtle")

    def change(value: str) -> Limit:
        return limit_set(
            kind=LimitKind.MAX_LEVERAGE, scope_kind="strategy", scope_key="turtle", value=D(value), actor="ann", now=NOW
        )

    assert [change("3").version, change("2").version, change("2").version] == [1, 2, 2]
    history = LimitChange.objects.filter(limit__scope_kind="strategy").values_list("version", "value", "actor")
    assert list(history) == [(2, D(2), "ann"), (1, D(3), "ann")]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"value": D(0)}, "value"),
        ({"value": D("NaN")}, "value"),
        ({"value": D("1.5")}, "value"),
        ({"kind": "nonsense"}, "kind"),
        ({"scope_kind": "planet"}, "scope_kind"),
        ({"scope_kind": "everything"}, "scope_key"),
    ],
)
def test_refuses_limits_that_make_no_sense_and_names_the_field(account: Account, changes, field) -> None:
    arguments = {"kind": LimitKind.ASSET_SHARE, "scope_kind": "strategy", "scope_key": "turtle", "value": D("0.1")}
    with pytest.raises(InvalidValue) as refused:
        limit_set(**{**arguments, **changes}, actor="ann", now=NOW)
    assert refused.value.field == field
    assert Limit.objects.count() == len(SEED_LIMITS)


def test_two_people_setting_one_limit_at_once_make_two_versions(account: Account) -> None:
    barrier = threading.Barrier(4)
    strategies_at(account, "turtle")

    def change(value: int) -> None:
        barrier.wait()
        limit_set(
            kind=LimitKind.MAX_LEVERAGE,
            scope_kind="strategy",
            scope_key="turtle",
            value=D(value),
            actor=f"p{value}",
            now=NOW,
        )

    run_threads([lambda value=value: change(value) for value in range(1, 5)])
    versions = LimitChange.objects.filter(limit__scope_kind="strategy").values_list("version", flat=True)
    assert sorted(versions) == [1, 2, 3, 4]


def test_a_limit_edited_between_two_ticks_binds_the_second(account, instruments) -> None:
    scope, btc = scope_of(account), instruments["BTC"].to_domain()
    before = load_facts([scope], NOW)["turtle"]
    assert before.limit(LimitKind.ASSET_SHARE, btc) == D("0.1")
    limit_set(
        kind=LimitKind.ASSET_SHARE, scope_kind="instrument", scope_key=btc.key, value=D("0.01"), actor="ann", now=NOW
    )
    after = load_facts([scope], NOW)["turtle"]
    assert after.limit(LimitKind.ASSET_SHARE, btc) == D("0.01")
    refused = reserve_all(scope, after, (order_of(btc, "2"), btc)).refused
    assert [r.code for r in refused] == [RefusalCode.ASSET_EXPOSURE_EXCEEDED]
    assert used("portfolio", "paper", "BTC") == 0


def test_a_limit_that_was_switched_off_does_not_bind(account, instruments) -> None:
    strategies_at(account, "turtle")
    limit_set(
        kind=LimitKind.ASSET_SHARE,
        scope_kind="strategy",
        scope_key="turtle",
        value=D("0.01"),
        actor="ann",
        now=NOW,
        active=False,
    )
    facts = load_facts([scope_of(account)], NOW)["turtle"]
    assert facts.limit(LimitKind.ASSET_SHARE, instruments["BTC"].to_domain()) == D("0.1")


def test_facts_take_as_many_queries_for_fifty_strategies_as_for_one(account) -> None:
    scopes = [scope_of(account, f"s{number}") for number in range(50)]
    load_facts(scopes, NOW)
    with CaptureQueriesContext(
        connection,
    ) as one:
        load_facts(scopes[:1], NOW)
    with CaptureQueriesContext(connection) as many:
        facts = load_facts(scopes, NOW)
    assert len(facts) == 50
    assert len(many) == len(one) <= 14


def test_facts_know_modes_equities_and_drawdowns(account) -> None:
    scope = scope_of(account)
    load_facts([scope], NOW)
    HighWaterMark.objects.filter(scope_key="turtle").update(peak=D(100_000), equity=D(90_000), marked_at=NOW)
    facts = load_facts([scope], NOW)["turtle"]
    assert facts.mode("hyperliquid:BTC") is TradingMode.ACTIVE
    assert (facts.portfolio_equity, facts.account_equity, facts.strategy_equity) == (EQUITY, EQUITY, D(90_000))
    assert (facts.portfolio_drawdown, facts.strategy_drawdown) == (D(0), D("0.1"))


def test_a_strategy_seen_first_starts_at_its_capital(account) -> None:
    facts = load_facts([scope_of(account, capital=D(7_000))], NOW)["turtle"]
    assert (facts.strategy_equity, facts.strategy_drawdown) == (D(7_000), D(0))
    assert Allocation.objects.get().capital == 7_000


def test_stale_or_missing_marks_are_unknown_and_never_zero(account) -> None:
    later = NOW + timedelta(minutes=5)
    facts = load_facts([scope_of(account)], later)["turtle"]
    assert facts.portfolio_equity is None
    assert facts.account_equity is None
    assert facts.portfolio_drawdown is None


def test_one_account_without_a_mark_makes_the_portfolio_unknown(account) -> None:
    Account.objects.create(
        code="paper-2", venue=account.venue, portfolio=account.portfolio, address="0x2", currency="USDC"
    )
    facts = load_facts([scope_of(account)], NOW)["turtle"]
    assert facts.portfolio_equity is None
    assert facts.account_equity == EQUITY


def test_accounts_in_another_currency_make_the_portfolio_unknown(account) -> None:
    other = Account.objects.create(
        code="paper-2", venue=account.venue, portfolio=account.portfolio, address="0x2", currency="USDT"
    )
    mark_equity(other, NOW)
    assert load_facts([scope_of(account)], NOW)["turtle"].portfolio_equity is None


def out_of_sight(account, *, equity: D, margin: D, age: timedelta) -> Account:
    other = Account.objects.create(
        code="paper-2", venue=account.venue, portfolio=account.portfolio, address="0x2", currency="USDC"
    )
    EquityMark.objects.create(account=other, taken_at=NOW - age, venue_equity=equity, unrealised=0, margin_used=margin)
    return other


def test_an_account_out_of_sight_counts_with_what_it_had_free(account) -> None:
    out_of_sight(account, equity=D(50_000), margin=D(20_000), age=timedelta(minutes=5))
    facts = load_facts([scope_of(account)], NOW)["turtle"]
    assert facts.portfolio_equity == EQUITY + 30_000


def test_the_drawdown_while_an_account_is_out_of_sight_is_that_of_what_is_left(account) -> None:
    out_of_sight(account, equity=D(50_000), margin=D(20_000), age=timedelta(minutes=5))
    HighWaterMark.objects.create(
        scope_kind=ScopeKind.PORTFOLIO, scope_key="paper", peak=EQUITY + 50_000, peak_at=NOW, equity=EQUITY + 50_000,
        funded=0, marked_at=NOW - timedelta(minutes=5),
    )  # fmt: skip
    facts = load_facts([scope_of(account)], NOW)["turtle"]
    assert facts.portfolio_drawdown == D(20_000) / (EQUITY + 50_000)


def test_an_account_unseen_for_longer_makes_the_portfolio_unknown(account) -> None:
    out_of_sight(account, equity=D(50_000), margin=D(20_000), age=timedelta(minutes=16))
    assert load_facts([scope_of(account)], NOW)["turtle"].portfolio_equity is None
