"""A world whose venue is the mock exchange itself: real signatures, real HTTP, a market of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace

import requests

from apps.exchanges.execution.sessions import VenueSessions
from apps.exchanges.mock.engine.api import InstrumentSpec
from apps.exchanges.mock.engine.exchange import Exchange
from apps.exchanges.mock.threaded import mock_in_thread
from apps.exchanges.mock.wire.config import WireConfig
from apps.exchanges.models import Account, InstrumentRow, Signer, Transfer, Venue
from apps.monitor.demo.mock_accounts import open_account
from apps.monitor.demo.paper import PURPOSES, PaperAccount
from moondev.domain.clock import Clock
from tests.support.order_world import make_world

D = Decimal
PAPER = PaperAccount("paper-1", D(100_000))


class Keys:
    """The paper account's keys, as the environment would hold them."""

    def secret(self, name: str) -> str:
        found = {PAPER.secret_name(purpose): PAPER.secret(purpose) for purpose in PURPOSES}
        return found[name]


@contextmanager
def live_world(clock: Clock, **options: object) -> Iterator[SimpleNamespace]:
    """Serve the mock, with a market and a funded account, while the block runs; `options` are WireConfig's."""
    specs = (InstrumentSpec("BTC", 0, 5, 40), InstrumentSpec("ETH", 1, 4, 25))
    engine = Exchange(specs, clock, {"BTC": D(50_000), "ETH": D(3_000)})
    with mock_in_thread(engine, clock, WireConfig(**{"book_interval_ms": 20, **options})) as mock:
        world = make_world(clock)
        Venue.objects.update(rest_url=f"{mock.url}/hl", websocket_url=f"{mock.url}/hl/ws".replace("http", "ws", 1))
        Account.objects.update(address=PAPER.address)
        Transfer.objects.update(at=clock.now() - timedelta(seconds=1))
        for purpose in PURPOSES:
            Signer.objects.filter(purpose=purpose).update(
                address=PAPER.signer_address(purpose), secret_name=PAPER.secret_name(purpose)
            )
        for symbol, lot in (("BTC", "0.00001"), ("ETH", "0.0001")):
            InstrumentRow.objects.filter(symbol=symbol).update(lot=D(lot))
        open_account(mock.url, PAPER, clock)
        for coin, side, price, size in (("BTC", "buy", "49990", "5"), ("BTC", "sell", "50010", "5")):
            body = {"coin": coin, "side": side, "price": price, "size": size}
            requests.post(f"{mock.url}/admin/quote", json=body, timeout=5).raise_for_status()
        sessions = VenueSessions(Keys())
        yield SimpleNamespace(world=world, mock=mock, sessions=sessions, clock=clock, account=world.account.pk)
