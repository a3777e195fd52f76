"""Copies on a real database: measured from what the guard keeps, read by the next tick, bounded under locks."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import numpy as np
import pytest
import redis
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.exchanges.market_data.cache import MarketCache, MarketWriter
from apps.exchanges.market_data.wishes import wishes_set
from apps.exchanges.models import Account, InstrumentRow
from apps.risk.correlation.book import FORGOTTEN, STALE
from apps.risk.correlation.estimate import FEWEST_SAMPLES
from apps.risk.correlation.measure import BAR, STEP, correlations_measure
from apps.risk.facts import load_facts
from apps.risk.models import Correlation, HighWaterMark, LimitKind
from apps.risk.portfolio.series_keeper import EquityPoint, points_keep
from apps.risk.services import limit_set
from moondev.domain.decisions import RefusalCode
from moondev.domain.market_data import BarSeries, Needs
from moondev.domain.orders import Purpose
from moondev.domain.values import Side
from tests.integration.limits_world import (
    NOW,
    D,
    order_of,
    paper_account,
    reserve_all,
    run_threads,
    scope_of,
    three_instruments,
    used,
)
from tests.integration.tick_world import own_redis

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]
SLUGS = ("copy", "lone", "turtle")


@pytest.fixture
def account() -> Account:
    return paper_account()


@pytest.fixture
def instruments(account: Account) -> dict[str, InstrumentRow]:
    return three_instruments(account)


@pytest.fixture
def client() -> Iterator[redis.Redis]:
    client = own_redis()
    yield client
    client.close()


@pytest.fixture
def person() -> Client:
    browser = Client()
    browser.force_login(get_user_model().objects.create_superuser("ann"))
    return browser


def scopes(account: Account):
    return [scope_of(account, slug, D(10_000)) for slug in SLUGS]


def link(one: str, other: str, value: float = 0.93, **more) -> None:
    row = {"kind": "strategy", "portfolio": "paper", "samples": 100, "at": NOW} | more
    Correlation.objects.update_or_create(one=one, other=other, kind=row.pop("kind"), defaults={**row, "value": value})


def widen(value: str = "1") -> None:
    limit_set(kind="asset_share", scope_kind="portfolio", scope_key="paper", value=D(value), actor="ann", now=NOW)


def test_who_moves_like_whom_is_measured_read_by_the_next_tick_and_shown(account, instruments, client, person):
    load_facts(scopes(account), NOW)
    _equities()
    _bars(client, instruments)
    assert correlations_measure(MarketCache(client), NOW) == 6
    rows = {(row.one, row.other): row for row in Correlation.objects.all()}
    assert rows["copy", "turtle"].value == pytest.approx(1, abs=1e-6)
    assert abs(rows["copy", "lone"].value) < 0.5
    assert (rows["copy", "turtle"].portfolio, rows["copy", "turtle"].at) == ("paper", NOW)
    assert rows["copy", "turtle"].samples >= FEWEST_SAMPLES
    assert rows["BTC", "ETH"].value == pytest.approx(1)
    assert abs(rows["BTC", "SOL"].value) < 0.5

    facts = load_facts(scopes(account), NOW)
    assert facts["turtle"].copies.members == facts["copy"].copies.members == ("copy", "turtle")
    assert (facts["turtle"].copies.closest, facts["turtle"].copies.most) == ("copy", 10_000)
    assert facts["lone"].copies is None
    # No limit on assets is seeded: measured and shown, nothing more.
    assert facts["turtle"].alike == {}
    limit_set(
        kind=LimitKind.ASSET_CORRELATION, scope_kind="everything", scope_key="*", value=D("0.9"), actor="ann", now=NOW
    )
    shared = load_facts(scopes(account), NOW)["turtle"].alike
    assert sorted(shared) == ["BTC", "ETH"]
    assert shared["BTC"].most == 10_000

    page = person.get(reverse("admin:risk_correlation_changelist")).content.decode()
    assert "copy" in page
    assert "not known: measured more than" in page
    # Without news nothing is known any more, and who is gone is forgotten in the end.
    link("gone", "turtle")
    correlations_measure(MarketCache(client), NOW + FORGOTTEN + timedelta(seconds=1))
    assert set(Correlation.objects.values_list("value", "samples")) == {(None, 0)}
    assert not Correlation.objects.filter(one="gone").exists()


def test_copies_on_many_threads_never_exceed_what_one_may_hold_and_do_not_starve(account, instruments):
    widen()
    rows = [row.to_domain() for row in instruments.values()]
    load_facts(scopes(account), NOW)
    _marks()
    link("copy", "turtle")
    link("copy", "lone", 0.71)  # through the copy all three are one group
    facts = load_facts(scopes(account), NOW)
    assert facts["lone"].copies.members == SLUGS
    highest: list[Decimal] = []
    lock = threading.Lock()

    def trade(seed: int) -> None:
        chance = random.Random(seed)
        for _ in range(10):
            scope = chance.choice(scopes(account))
            orders = [(order_of(row, str(D(chance.randint(1, 900)) / 1000)), row) for row in rows]
            reserve_all(scope, facts[scope.strategy], *orders)
            with lock:
                highest.append(sum((used("strategy", slug) for slug in SLUGS), D(0)))

    run_threads([lambda seed=seed: trade(seed) for seed in range(6)])
    total = sum((used("strategy", slug) for slug in SLUGS), D(0))
    assert max(highest) <= total <= 10_000
    # Orders of at most 900 leave less than that, and what is left still fits.
    assert total > 9_100
    left = 10_000 - total
    if left:
        fits = reserve_all(scopes(account)[0], facts["copy"], (order_of(rows[0], str(left / 1000)), rows[0]))
        assert len(fits.kept) == 1
    refused = reserve_all(scopes(account)[0], facts["copy"], (order_of(rows[0], "0.001"), rows[0])).refused
    assert (refused[0].code, refused[0].value) == (RefusalCode.STRATEGIES_CORRELATED, 10_001)
    assert refused[0].limit == "10000 shared with turtle and 1 more (correlation 0.93)"
    # What reduces is never asked.
    out = order_of(rows[0], "1", side=Side.SELL, purpose=Purpose.REDUCING)
    assert len(reserve_all(scopes(account)[0], facts["copy"], (out, rows[0])).kept) == 1


def test_assets_that_move_as_one_share_what_one_may_be_across_strategies(account, instruments):
    load_facts(scopes(account), NOW)
    _marks()
    link("BTC", "ETH", 0.95, kind="asset", portfolio="")
    limit_set(
        kind=LimitKind.ASSET_CORRELATION, scope_kind="portfolio", scope_key="paper", value=D("0.9"), actor="a", now=NOW
    )
    btc, eth = instruments["BTC"].to_domain(), instruments["ETH"].to_domain()
    copy, lone, _ = scopes(account)
    facts = load_facts([copy, lone], NOW)
    assert len(reserve_all(copy, facts["copy"], (order_of(btc, "6"), btc)).kept) == 1
    result = reserve_all(lone, facts["lone"], (order_of(eth, "5"), eth), (order_of(eth, "4"), eth))
    assert len(result.kept) == 1
    assert [(one.code, one.value) for one in result.refused] == [(RefusalCode.ASSETS_CORRELATED, 11_000)]
    # The review of the next tick says so at once.
    assert load_facts([lone], NOW)["lone"].alike["ETH"].others == 6_000


@pytest.mark.parametrize(
    ("value", "more"),
    [
        (0.7, {}), (-0.99, {}), (None, {}), (0.99, {"samples": FEWEST_SAMPLES - 1}), (0.99, {"portfolio": "other"}),
        (0.99, {"at": NOW - STALE - timedelta(seconds=1)}),
    ],
    ids=["at the limit", "opposite", "not known", "too few samples", "another portfolio", "stale"],
)  # fmt: skip
def test_what_is_not_known_to_be_a_copy_trades_by_itself(account, value, more):
    link("copy", "turtle", value, **more)
    assert load_facts(scopes(account), NOW)["turtle"].copies is None


def test_the_limit_is_a_row_and_an_unknown_equity_of_the_group_opens_nothing(account, instruments):
    btc = instruments["BTC"].to_domain()
    link("copy", "turtle")
    with CaptureQueriesContext(connection) as queries:
        facts = load_facts(scopes(account), NOW)
    assert len(queries) < 20
    # The peak of a new strategy is its capital, so its equity is known; a mark an hour old is not.
    HighWaterMark.objects.filter(scope_kind="strategy").update(marked_at=NOW - timedelta(hours=1))
    facts = load_facts(scopes(account), NOW)
    assert facts["turtle"].copies.most is None
    refused = reserve_all(scopes(account)[2], facts["turtle"], (order_of(btc, "1"), btc)).refused
    assert refused[0].code is RefusalCode.EQUITY_UNKNOWN
    limit_set(
        kind=LimitKind.STRATEGY_CORRELATION, scope_kind="portfolio", scope_key="paper", value=D("0.95"), actor="ann",
        now=NOW,
    )  # fmt: skip
    assert load_facts(scopes(account), NOW)["turtle"].copies is None


def _marks() -> None:
    HighWaterMark.objects.filter(scope_kind="strategy").update(equity=10_000, marked_at=NOW)


def _equities() -> None:
    """Keep sixty steps of equity: the turtle and its copy move as one, the lone one by itself."""
    rng = np.random.default_rng(7)
    worth = dict.fromkeys(SLUGS, 10_000.0)
    for number in range(60, 0, -1):
        shared, own = rng.normal(0, 0.01, 2)
        for slug in SLUGS:
            worth[slug] *= 1 + (own if slug == "lone" else shared)
        points = [EquityPoint(("strategy", slug), D(repr(float(worth[slug]))), {"1": D(10_000)}) for slug in SLUGS]
        points_keep(points, NOW - STEP * number)


def _bars(client: redis.Redis, instruments: dict[str, InstrumentRow]) -> None:
    """Stream bars of three assets that strategies look at: two of them move as one."""
    rng = np.random.default_rng(8)
    one, other = rng.normal(0, 0.01, (2, 100))
    writer = MarketWriter(client)
    end = NOW.timestamp() * 1000
    step = BAR // timedelta(milliseconds=1)
    for asset, moves in (("BTC", one), ("ETH", one), ("SOL", other)):
        close = 100 * np.exp(np.cumsum(moves))
        stamps = (end - step * np.arange(100, 0, -1)).astype(np.int64)
        writer.bars(f"hyperliquid:{asset}", BarSeries(BAR, stamps, close, close, close, close, close))
    writer.flush()
    wishes_set("turtle", Needs(tuple(f"hyperliquid:{asset}" for asset in instruments), {timedelta(hours=1): 10}))
