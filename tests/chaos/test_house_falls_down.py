"""Everything goes in the middle of a flatten, and a stranger trades on an account: what was asked for is finished."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal

import ccxt
import pytest
from django.db import DatabaseError, connection

from apps.exchanges.models import UNASSIGNED, AccountEvent, Order, ScopeKind, TradingMode, Veto
from apps.monitor.demo.paper import PaperAccount
from apps.risk import vetoes
from apps.risk.models import Breaker, HighWaterMark
from moondev.domain.clock import process_clock
from moondev.domain.orders import OrderStatus
from tests.chaos.platform import DEPOSIT, EVERYTHING, PROJECT
from tests.contract.test_hyperliquid_ccxt import BTC, QUIET

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300)]
# The first exit is at the venue, unanswered, for so long.
LATENCY_MS = 2_500
SERVERS = ("rabbitmq", "redis", "postgres")


@contextmanager
def risk_guard(platform) -> Iterator[subprocess.Popen]:
    """Run the guard, as the last that still carries halts out."""
    command = [sys.executable, "manage.py", "risk_guard", "--interval", "0.5"]
    with (platform.logs / "risk_guard.log").open("ab") as log:
        guard = subprocess.Popen(
            command, cwd=PROJECT, env=platform.supervisor._environment, stdout=log, stderr=subprocess.STDOUT
        )
    try:
        yield guard
    finally:
        guard.kill()
        guard.wait()
        # Where a guard has marked and marks no more, nothing opens: the tests that follow know no guard.
        HighWaterMark.objects.all().delete()


def engage(trader) -> int:
    engaged = vetoes.engage(
        scope=(ScopeKind.ACCOUNT.value, trader.account.code), mode=TradingMode.HALTED, flatten=True, reason="test",
        actor="test", now=process_clock().now(),
    )  # fmt: skip
    return engaged.veto_ids[0]


def done(veto: int) -> bool:
    """Return whether a halt says that it is done; a database that is coming back says nothing."""
    try:
        return Veto.objects.filter(pk=veto, done_at__isnull=False).exists()
    except DatabaseError:
        connection.close()
        return False


def held(trader) -> Decimal:
    return sum(map(abs, map(Decimal, trader.mock.account(trader.address)["positions"].values())), Decimal(0))


def test_a_flatten_ends_flat_though_every_server_and_every_process_goes_in_its_middle(servers, trader) -> None:
    platform = trader.platform
    # The guard that follows is not to judge this noisy machine.
    Breaker.objects.update(enabled=False)
    trader.record(trader.taker(), trader.taker(), trader.bid())
    trader.settle()
    trader.mock.fault("latency_ms", value=LATENCY_MS, action="order", count=1)
    veto = engage(trader)
    trader.mock.wait_struck("latency_ms")
    held_then = held(trader)
    for name in EVERYTHING:
        platform.kill(name)
    connection.close()
    for name in SERVERS:
        servers.stop(name)
    for name in SERVERS:
        servers.start(name)
    looked = [held_then]

    def ended() -> bool:
        looked.append(held(trader))
        assert looked[-1] <= looked[-2], f"what is held grew after the veto: {looked}"
        return done(veto)

    with risk_guard(platform):
        platform.wait("the halt to be done", ended, 120)
    assert held(trader) == 0
    assert not trader.mock.open_orders(trader.address)
    platform.wait("the user streams", platform.streams, 120)
    trader.settle(120)
    trader.finish()


def test_an_order_placed_by_hand_is_told_within_a_moment_and_nothing_opens_beside_it(trader) -> None:
    paper = PaperAccount(trader.account.code, DEPOSIT)
    base = f"{trader.mock.url}/hl"
    stranger = ccxt.hyperliquid({
        "walletAddress": paper.address, "privateKey": paper.master_key, "enableRateLimit": False,
        "options": dict(QUIET), "urls": {"api": {"public": base, "private": base}},
    })  # fmt: skip
    stranger.load_markets()
    events = AccountEvent.objects.filter(account=trader.account)
    placed = stranger.create_order(BTC, "limit", "buy", 0.001, 90_000, {"clientOrderId": "0x" + "cd" * 16})
    # The stream tells of it; the full look comes once a minute only.
    trader.platform.wait("the alarm", events.filter(kind=AccountEvent.Kind.SECOND_WRITER).exists, 20)
    trader.platform.wait("the order to be listed", events.filter(kind=AccountEvent.Kind.ADOPTED_ORDER).exists, 20)
    found = Order.objects.get(account=trader.account, strategy=UNASSIGNED)
    assert found.venue_order_id == placed["id"]
    (ours,) = trader.record(trader.bid())
    trader.wait_status(ours, OrderStatus.CANCELLED)
    assert "gate is reducing" in Order.objects.get(pk=ours.pk).reason
    stranger.cancel_order(placed["id"], BTC)
    trader.wait_status(found, OrderStatus.CANCELLED)
    (again,) = trader.record(trader.bid())
    trader.wait_status(again, OrderStatus.OPEN)
    trader.finish()
