"""A paper account with seeded limits, and the few words tests of limits speak in."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from uuid import uuid4

from django.db import connection, transaction

from apps.exchanges.models import (
    Account,
    EquityMark,
    ExposureCounter,
    InstrumentRow,
    Order,
    Portfolio,
    ScopeKind,
    TradingMode,
    TradingState,
    Venue,
)
from apps.risk.allocations import allocations_remember
from apps.risk.exposure import Reserved, ReserveItem, reserve
from apps.risk.facts import RiskFacts
from apps.risk.scope import StrategyScope
from apps.risk.services import seed_limits
from moondev.domain.decisions import RiskApproved
from moondev.domain.instruments import Instrument
from moondev.domain.orders import OrderStatus, OrderType, PlaceOrder, Purpose, TimeInForce
from moondev.domain.values import Price, Quantity, Side

D = Decimal
NOW = datetime(2025, 7, 1, 12, tzinfo=UTC)
EQUITY = D(100_000)


def paper_account() -> Account:
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


def strategies_at(account: Account, *slugs: str) -> None:
    """Let the strategies be known, as their first ticks would."""
    allocations_remember([scope_of(account, slug) for slug in slugs], NOW)


def three_instruments(account: Account) -> dict[str, InstrumentRow]:
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
