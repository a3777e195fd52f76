"""A web server in a thread, people of every role with tokens, and a small paper world to look at."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import requests
import uvicorn
from django.contrib.auth.models import Group, User
from django.db import connections

from apps.exchanges.models import Account, Fill, InstrumentRow, Order, OrderEvent, Position
from apps.monitor.access.roles import ADMINISTRATOR, RISK_MANAGER, TRADER, VIEWER, roles_write
from apps.monitor.access.scopes import Scope
from apps.monitor.access.tokens import token_create
from apps.monitor.api.threads import threads_close
from apps.strategies.models import Desk, StrategyInstrument, StrategyRow
from apps.strategies.registry import preset
from moondev.asgi import application
from moondev.domain.clock import LiveClock
from moondev.servers.probes import free_port
from tests.integration.limits_world import mark_equity, paper_account, three_instruments

ROLES = (VIEWER, TRADER, RISK_MANAGER, ADMINISTRATOR)
D = Decimal


@contextmanager
def served() -> Iterator[str]:
    """Serve the web application while the block runs; yield its address."""
    port = free_port()
    config = uvicorn.Config(application, host="127.0.0.1", port=port, lifespan="off", log_level="error")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.01)
    # Connections are kept as in production, and end with the server: one left open would block the test's end.
    kept = connections.settings["default"]["CONN_MAX_AGE"]
    connections.settings["default"]["CONN_MAX_AGE"] = None
    try:
        yield f"http://127.0.0.1:{port}/api/v1"
    finally:
        server.should_exit = True
        thread.join(10)
        threads_close()
        # A thread's connection ends with its last reference, and some of those lie in circles.
        gc.collect()
        connections.settings["default"]["CONN_MAX_AGE"] = kept


class Client(requests.Session):
    """Asks the API with a token."""

    def __init__(self, home: str, token: str = "") -> None:
        super().__init__()
        self._home = home
        if token:
            self.headers["Authorization"] = f"Bearer {token}"

    def request(self, method, url, **kwargs):
        """Ask an address of the API."""
        return super().request(method, self._home + url, timeout=30, **kwargs)


def person(role: str, name: str = "") -> User:
    """Return a member of staff with one role."""
    user = User.objects.create_user(name or role.replace(" ", "-"), is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    return user


def token_of(user: User, scopes=tuple(Scope), **changed) -> str:
    """Return a token for a person."""
    now = LiveClock().now()
    given = {"name": "test", "expires_at": now + timedelta(days=1), "actor": "test", "now": now} | changed
    return token_create(user=user, scopes=list(scopes), **given)[1]


def tokens_of_roles() -> dict[str, str]:
    """Return a token for each role, good for everything that the role may do."""
    roles_write()
    return {role: token_of(person(role)) for role in ROLES}


@dataclass
class World:
    """A strategy that holds and has traded, and its account."""

    account: Account
    btc: InstrumentRow
    strategy: StrategyRow
    order: Order
    position: Position


def small_world() -> World:
    """Return a paper account with limits, a strategy that runs, an order with a life, a fill and a position."""
    account = paper_account()
    btc, now = three_instruments(account)["BTC"], LiveClock().now()
    mark_equity(account, now)
    Desk.objects.create(account=account, capital=50_000)
    strategy = StrategyRow.objects.create(
        slug="turtle",
        kind="turtle_trend",
        account=account,
        capital=10_000,
        enabled=True,
        created_by="somebody",
        parameters=preset("turtle_trend", "canonical").model_dump(mode="json"),
    )
    StrategyInstrument.objects.create(strategy=strategy, instrument=btc, account=account, exclusive=True)
    order = order_row(account, btc, "turtle", now)
    for was, is_ in (("created", "approved"), ("approved", "sending"), ("sending", "open")):
        OrderEvent.objects.create(order=order, at=now, source="test", status_from=was, status_to=is_)
    Fill.objects.create(
        account=account, instrument=btc, order=order, strategy="turtle", venue_trade_id="1", side="buy",
        price=D(1000), quantity=D("0.5"), fee=D("0.1"), liquidity="taker", kind="order", time_exchange=now,
        time_received=now,
    )  # fmt: skip
    position = Position.objects.create(
        account=account, strategy="turtle", instrument=btc, quantity=D("0.5"), cost=D(500), opened_at=now,
        updated_at=now,
    )  # fmt: skip
    return World(account, btc, strategy, order, position)


def order_row(account, instrument, strategy, now, **changed) -> Order:
    """Return an order that rests."""
    given = {
        "client_order_id": uuid4(), "side": "buy", "order_type": "limit", "time_in_force": "gtc", "quantity": D(1),
        "price": D(1000), "status": "open", "purpose": "opening", "valid_until": now, "created_at": now,
        "updated_at": now, "tick_id": "1", "sent_at": now + timedelta(milliseconds=30),
        "acknowledged_at": now + timedelta(milliseconds=90),
    }  # fmt: skip
    return Order.objects.create(account=account, instrument=instrument, strategy=strategy, **given | changed)
