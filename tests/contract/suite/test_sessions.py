"""A session is opened once and kept: who dials anew for every order pays for it with every order."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import urllib3.connection

from apps.exchanges import registry
from tests.contract.suite.orders import limit
from tests.contract.suite.scene import Trader, VenueScene


@pytest.fixture
def dialled(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the ports of every connection that is opened from now on."""
    ports: list[int] = []
    connect = urllib3.connection.HTTPConnection.connect

    def counted(self: urllib3.connection.HTTPConnection) -> None:
        ports.append(self.port)
        connect(self)

    monkeypatch.setattr(urllib3.connection.HTTPConnection, "connect", counted)
    return ports


def test_orders_and_questions_of_an_account_share_connections_that_stay_open(
    scene: VenueScene, trader: Trader, dialled: list[int]
) -> None:
    trader.place(limit(scene.key()))
    trader.client.account_snapshot()
    dialled.clear()
    for _ in range(5):
        order = limit(scene.key())
        trader.place(order)
        trader.cancel(order)
        trader.client.account_snapshot()
        trader.client.live_orders()
    assert dialled == []


def test_an_account_has_one_session_in_a_process_and_every_account_its_own(scene: VenueScene, trader: Trader) -> None:
    again = registry.client_for(trader.config, trader.account.credentials, trader.numbers)
    assert again is trader.client
    with scene.trader() as other:
        assert other.client is not trader.client


def test_threads_of_a_worker_share_a_session_without_dialling_each_time(
    scene: VenueScene, trader: Trader, dialled: list[int]
) -> None:
    trader.client.account_snapshot()
    with ThreadPoolExecutor(4) as threads:
        for _ in range(3):
            list(threads.map(lambda _: trader.client.account_snapshot(), range(8)))
    assert len(dialled) <= 5
