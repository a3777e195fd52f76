"""Limits on a real database: they bind the next tick, and no two ticks can overrun one together."""

from __future__ import annotations

import random
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from apps.exchanges.models import (
    Account,
    EquityMark,
    ExposureCounter,
    InstrumentRow,
    Order,
    Portfolio,
    Position,
    ScopeKind,
    TradingMode,
    TradingState,
    Venue,
)
from apps.risk.exposure import Reserved, ReserveItem, reserve
from apps.risk.exposure_recompute import exposures_recompute
from apps.risk.facts import RiskFacts, load_facts
from apps.risk.models import Allocation, HighWaterMark, Limit, LimitChange, LimitKind, RiskEvent
from apps.risk.scope import StrategyScope
from apps.risk.services import SEED_LIMITS, limit_set, seed_limits
from moondev.domain.decisions import RefusalCode, RiskApproved
from moondev.domain.errors import InvalidValue
from moondev.domain.instruments import Instrument
from moondev.domain.orders import OrderStatus, OrderType, PlaceOrder, Purpose, TimeInForce
from moondev.domain.values import Price, Quantity, Side

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]
D = Decimal
NOW = datetime(2025, 7, 1, 12, tzinfo=UTC)
EQUITY = D(100_000)


@pytest.fixture
def account() -> Account:
    """Return a paper account worth 100,000 with seeded limits and open for trading."""
    venue = Venue.objects.create(
        code="hyperliquid",
        protocol="hyperliquid",
        environment="paper",
        rest_url="http://localhost:8001/hl",
        websocket_url="ws://localhost:8001/hl/ws",
    )
    portfolio = Portfolio.objects.create(code="paper", currency="USDC", environment="paper")
    account = Account.objects.create(code="paper-1", venue=venue, portfolio=portfolio, address="0x1", currency="USDC")
    mark_equity(account, NOW)
    for kind, key in ((ScopeKind.PORTFOLIO, "paper"), (ScopeKind.ACCOUNT, "paper-1")):
        TradingState.objects.create(scope_kind=kind, scope_key=key, mode=TradingMode.ACTIVE, changed_at=NOW)
    seed_limits("paper", actor="test", now=NOW)
    return account


@pytest.fixture
def instruments(account: Account) -> dict[str, InstrumentRow]:
    return {
        asset: InstrumentRow.objects.create(
            venue=account.venue, symbol=asset, asset=asset, quote="USDC", tick=D("0.1"), lot=D("0.001")
        )
        for asset in ("BTC", "ETH", "SOL")
    }


def mark_equity(account: Account, at: datetime, equity: Decimal = EQUITY) -> None:
    EquityMark.objects.create(account=account, taken_at=at, venue_equity=equity, unrealised=0, margin_used=0)


def scope_of(account: Account, strategy: str = "turtle", capital: Decimal = EQUITY) -> StrategyScope:
    return StrategyScope(
        strategy, account.pk, account.code, account.portfolio_id, account.venue_id, "USDC", capital, D(1)
    )


def order_of(
    instrument: Instrument,
    quantity: str = "1",
    price: str = "1000",
    side: Side = Side.BUY,
    purpose: Purpose = Purpose.OPENING,
) -> RiskApproved[PlaceOrder]:
    return RiskApproved(
        PlaceOrder(
            uuid4(),
            instrument.key,
            side,
            OrderType.LIMIT,
            TimeInForce.GTC,
            Quantity(D(quantity)),
            Price(D(price)),
            purpose,
            "s1",
            "entry",
        )
    )


def reserve_all(
    scope: StrategyScope, facts: RiskFacts, *orders: tuple[RiskApproved[PlaceOrder], Instrument]
) -> Reserved:
    with transaction.atomic():
        return reserve([ReserveItem(scope, order, instrument) for order, instrument in orders], {scope.strategy: facts})


def used(kind: str, key: str, asset: str = "*") -> Decimal:
    row = ExposureCounter.objects.filter(scope_kind=kind, scope_key=key, asset=asset).first()
    return row.used if row else D(0)


def record(account: Account, row: InstrumentRow, strategy: str, reserved: Decimal) -> Order:
    return Order.objects.create(
        account=account,
        instrument=row,
        strategy=strategy,
        tick_id="t",
        client_order_id=uuid4(),
        side="buy",
        order_type="limit",
        time_in_force="gtc",
        purpose="opening",
        quantity=1,
        price=reserved or 1,
        status=OrderStatus.OPEN,
        reserved=reserved,
        valid_until=NOW,
        created_at=NOW,
        updated_at=NOW,
    )


def test_seeded_limits_have_a_history_and_are_seeded_once(account: Account) -> None:
    assert {limit.kind: limit.value for limit in Limit.objects.all()} == dict(SEED_LIMITS)
    assert LimitChange.objects.count() == len(SEED_LIMITS)
    limit_set(
        kind=LimitKind.ASSET_SHARE, scope_kind="portfolio", scope_key="paper", value=D("0.2"), actor="ann", now=NOW
    )
    assert seed_limits("paper", actor="test", now=NOW) == []
    assert Limit.objects.get(kind=LimitKind.ASSET_SHARE).value == D("0.2")


def test_every_change_of_a_limit_is_a_version_with_its_author(account: Account) -> None:
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
    assert before.limit(LimitKind.ASSET_SHARE, btc.key) == D("0.1")
    limit_set(
        kind=LimitKind.ASSET_SHARE, scope_kind="instrument", scope_key=btc.key, value=D("0.01"), actor="ann", now=NOW
    )
    after = load_facts([scope], NOW)["turtle"]
    assert after.limit(LimitKind.ASSET_SHARE, btc.key) == D("0.01")
    refused = reserve_all(scope, after, (order_of(btc, "2"), btc)).refused
    assert [r.code for r in refused] == [RefusalCode.ASSET_EXPOSURE_EXCEEDED]
    assert used("portfolio", "paper", "BTC") == 0


def test_a_limit_that_was_switched_off_does_not_bind(account, instruments) -> None:
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
    assert facts.limit(LimitKind.ASSET_SHARE, "hyperliquid:BTC") == D("0.1")


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
    assert len(many) == len(one) == 5


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


def test_reserves_in_order_and_raises_all_four_counters_once(account, instruments) -> None:
    scope, btc, eth = scope_of(account), instruments["BTC"].to_domain(), instruments["ETH"].to_domain()
    facts = load_facts([scope], NOW)["turtle"]
    exit_order = order_of(btc, "50", side=Side.SELL, purpose=Purpose.REDUCING)
    orders = [order_of(btc, "6"), order_of(btc, "5"), order_of(btc, "4"), order_of(eth, "3")]
    result = reserve_all(scope, facts, *((order, btc) for order in orders[:3]), (orders[3], eth), (exit_order, btc))
    assert result.kept == [(orders[0], 6_000), (orders[2], 4_000), (orders[3], 3_000), (exit_order, 0)]
    assert [(r.code, r.limit, r.value) for r in result.refused] == [
        (RefusalCode.ASSET_EXPOSURE_EXCEEDED, 10_000, 11_000)
    ]
    assert used("portfolio", "paper", "BTC") == 10_000
    assert used("portfolio", "paper", "ETH") == 3_000
    assert used("portfolio", "paper") == used("account", "paper-1") == used("strategy", "turtle") == 13_000


def test_a_rolled_back_tick_reserves_nothing(account, instruments) -> None:
    scope, btc = scope_of(account), instruments["BTC"].to_domain()
    facts = load_facts([scope], NOW)
    with transaction.atomic():
        assert len(reserve([ReserveItem(scope, order_of(btc), btc)], facts).kept) == 1
        transaction.set_rollback(True)
    assert used("portfolio", "paper", "BTC") == 0


def test_a_sale_reserves_at_the_mid_when_that_is_above_its_limit(account, instruments) -> None:
    scope, btc = scope_of(account), instruments["BTC"].to_domain()
    facts = load_facts([scope], NOW)
    sale = order_of(btc, "1", "950", Side.SELL)
    with transaction.atomic():
        kept = reserve([ReserveItem(scope, sale, btc, arrival_price=D(1_000))], facts).kept
    assert kept == [(sale, 1_000)]


@pytest.mark.parametrize("field", ["portfolio_equity", "account_equity", "strategy_equity"])
def test_unknown_equity_refuses_openings_and_reserves_nothing(account, instruments, field) -> None:
    scope, btc = scope_of(account), instruments["BTC"].to_domain()
    facts = replace(load_facts([scope], NOW)["turtle"], **{field: None})
    result = reserve_all(scope, facts, (order_of(btc), btc), (order_of(btc, purpose=Purpose.REDUCING), btc))
    assert [r.code for r in result.refused] == [RefusalCode.EQUITY_UNKNOWN]
    assert len(result.kept) == 1
    assert used("portfolio", "paper", "BTC") == 0


def test_a_leverage_limit_binds_the_scope_it_is_set_for(account, instruments) -> None:
    limit_set(
        kind=LimitKind.MAX_LEVERAGE, scope_kind="strategy", scope_key="turtle", value=D("0.05"), actor="ann", now=NOW
    )
    btc, eth = instruments["BTC"].to_domain(), instruments["ETH"].to_domain()
    turtle, maker = scope_of(account), scope_of(account, "maker")
    facts = load_facts([turtle, maker], NOW)
    assert len(reserve_all(maker, facts["maker"], (order_of(eth, "9"), eth)).kept) == 1
    result = reserve_all(turtle, facts["turtle"], (order_of(btc, "5"), btc), (order_of(btc, "0.001"), btc))
    assert len(result.kept) == 1
    assert [r.code for r in result.refused] == [RefusalCode.LEVERAGE_EXCEEDED]


def test_many_threads_never_exceed_a_limit_and_never_starve_it(account, instruments) -> None:
    """Each thread reserves random orders and ends some of them again; afterwards everything adds up."""
    rows = {asset: row.to_domain() for asset, row in instruments.items()}
    scopes = [scope_of(account, f"s{number}") for number in range(6)]
    facts = load_facts(scopes, NOW)
    kept_by_asset: list[tuple[str, Decimal]] = []
    highest: list[Decimal] = []
    lock = threading.Lock()

    def trade(seed: int) -> None:
        chance = random.Random(seed)
        for _ in range(12):
            scope = scopes[chance.randrange(len(scopes))]
            picks = [rows[chance.choice(["BTC", "ETH", "SOL"])] for _ in range(chance.randint(1, 5))]
            orders = [(order_of(row, str(D(chance.randint(1, 2_500)) / 1000)), row) for row in picks]
            result = reserve_all(scope, facts[scope.strategy], *orders)
            assert len(result.kept) + len(result.refused) == len(orders)
            with lock:
                kept_by_asset.extend((a.request.instrument.partition(":")[2], amount) for a, amount in result.kept)
                highest.append(used("portfolio", "paper", "BTC"))

    run_threads([lambda seed=seed: trade(seed) for seed in range(8)])
    total = D(0)
    for asset, row in rows.items():
        reserved = sum((amount for name, amount in kept_by_asset if name == asset), D(0))
        total += reserved
        assert used("portfolio", "paper", asset) == reserved <= 10_000
        # Not starved: a limit of 10,000 filled by orders of at most 2,500 has less than that left over,
        # and one more lot of what is left over still fits.
        assert reserved > 7_500
        left = 10_000 - reserved
        if left:
            fits = reserve_all(scopes[0], facts["s0"], (order_of(row, str(left / 1000)), row))
            assert len(fits.kept) == 1
            total += left
    assert max(highest) <= 10_000
    assert used("portfolio", "paper") == used("account", "paper-1") == total
    by_strategy = sum((used("strategy", scope.strategy) for scope in scopes), D(0))
    assert by_strategy == total


def test_recomputing_puts_right_what_had_drifted_and_says_so(account, instruments) -> None:
    record(account, instruments["BTC"], "turtle", D(1_000))
    closed = record(account, instruments["BTC"], "turtle", D(0))
    Order.objects.filter(pk=closed.pk).update(status=OrderStatus.FILLED)
    Position.objects.create(
        account=account, strategy="turtle", instrument=instruments["ETH"], quantity=-2, cost=-500, updated_at=NOW
    )
    ExposureCounter.objects.create(scope_kind="portfolio", scope_key="paper", asset="SOL", used=77)
    ExposureCounter.objects.create(scope_kind="portfolio", scope_key="paper", asset="BTC", used=1_000)
    drifts = exposures_recompute(now=NOW, actor="test")
    assert {drift.key: (drift.before, drift.after) for drift in drifts} == {
        ("account", "paper-1", "*"): (0, 1_500),
        ("portfolio", "paper", "*"): (0, 1_500),
        ("portfolio", "paper", "ETH"): (0, 500),
        ("portfolio", "paper", "SOL"): (77, 0),
        ("strategy", "turtle", "*"): (0, 1_500),
    }
    assert RiskEvent.objects.filter(kind=RiskEvent.Kind.DRIFT).count() == 5
    assert exposures_recompute(now=NOW, actor="test") == []
    assert RiskEvent.objects.count() == 5


def test_recomputing_while_ticks_reserve_never_takes_a_reservation_away(account, instruments) -> None:
    scope, btc = scope_of(account), instruments["BTC"]
    facts = load_facts([scope], NOW)["turtle"]
    done = threading.Event()

    def tick() -> None:
        try:
            for _ in range(30):
                with transaction.atomic():
                    order = order_of(btc.to_domain(), "0.1")
                    reserve([ReserveItem(scope, order, btc.to_domain())], {"turtle": facts})
                    time.sleep(0.001)
                    record(account, btc, "turtle", D(100))
        finally:
            done.set()

    def recompute() -> None:
        for _ in range(200):
            assert exposures_recompute(now=NOW, actor="test") == []
            if done.is_set():
                return

    run_threads([tick, recompute])
    assert used("portfolio", "paper", "BTC") == used("strategy", "turtle") == 3_000


def test_reserving_a_batch_of_fifty_stays_cheap(account, instruments) -> None:
    scope, btc = scope_of(account), instruments["BTC"].to_domain()
    facts = load_facts([scope], NOW)
    orders = [order_of(btc, "0.001") for _ in range(50)]
    items = [ReserveItem(scope, order, btc) for order in orders]
    with transaction.atomic():
        reserve(items, facts)
    with CaptureQueriesContext(connection) as queries, transaction.atomic():
        reserve(items, facts)
    statements = [query["sql"] for query in queries if not query["sql"].startswith(("SAVEPOINT", "RELEASE", "BEGIN"))]
    started, cpu = time.perf_counter(), time.process_time()
    with transaction.atomic():
        reserve(items, facts)
    wall_ms, cpu_ms = (time.perf_counter() - started) * 1000, (time.process_time() - cpu) * 1000
    sys.stdout.write(f"reserve 50 orders: {wall_ms:.1f} ms wall, {cpu_ms:.1f} ms CPU\n")
    started = time.perf_counter()
    load_facts([scope], NOW)
    sys.stdout.write(f"load_facts: {(time.perf_counter() - started) * 1000:.1f} ms wall\n")
    assert len(statements) <= 4


def run_threads(jobs: list[Callable[[], None]]) -> None:
    """Run every job in a thread of its own; raise the first error any of them had."""
    errors: list[BaseException] = []

    def guarded(job: Callable[[], None]) -> None:
        try:
            job()
        except BaseException as error:  # noqa: BLE001  handed to the test below, whatever it is
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=guarded, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=50)
        assert not thread.is_alive(), "a thread is stuck"
    if errors:
        raise errors[0]
