"""A session signs with the signer's own key or not at all, and says what is wrong without showing a key."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from apps.exchanges import registry
from apps.exchanges.execution.sender import Sender
from apps.exchanges.execution.sessions import VenueSessions
from apps.exchanges.models import Signer
from apps.exchanges.orders.services import wake_accounts
from apps.exchanges.throttling import Lane, Unlimited
from apps.exchanges.venues.hyperliquid.agents import address_of
from moondev.domain.errors import Configuration, RateLimited
from tests.support.order_world import World, assert_books, make_world

pytestmark = pytest.mark.django_db
KEY, OTHER_KEY = "0x" + "11" * 32, "0x" + "22" * 32


class Vault:
    """Keeps one secret under every name."""

    def __init__(self, secret: str) -> None:
        self._secret = secret

    def secret(self, name: str) -> str:
        return self._secret


class NoKeys:
    """Opens no session."""

    def session(self, account_id: int, purpose: str) -> None:
        raise Configuration("secret KEY_orders is not set")


@pytest.fixture
def world() -> World:
    world = make_world()
    Signer.objects.update(address=address_of(KEY))
    return world


def test_opens_a_session_with_the_signers_own_key(world: World) -> None:
    session = VenueSessions(Vault(KEY)).session(world.account.pk, "orders")
    assert session.client.signer_address == address_of(KEY)


def test_refuses_to_trade_with_the_key_of_another_wallet(world: World) -> None:
    with pytest.raises(Configuration) as caught:
        VenueSessions(Vault(OTHER_KEY)).session(world.account.pk, "orders")
    for word in ("paper-1", "KEY_orders", address_of(OTHER_KEY), address_of(KEY)):
        assert word in str(caught.value)
    assert OTHER_KEY[2:] not in str(caught.value)


@pytest.mark.parametrize("purpose", ["vetoes", "direct"])
def test_a_halt_does_not_fail_for_a_row_that_is_wrong(world: World, purpose: str) -> None:
    assert VenueSessions(Vault(OTHER_KEY)).session(world.account.pk, purpose).client


@pytest.mark.parametrize(
    ("purpose", "lane"), [("orders", Lane.RESERVED), ("vetoes", Lane.FOREMOST), ("direct", Lane.FOREMOST)]
)
def test_what_stops_everything_asks_before_everybody_else(world: World, monkeypatch, purpose: str, lane: Lane) -> None:
    asked: list[Lane] = []

    class Refusing(Unlimited):
        def spend(self, _cost: Mapping[str, int], lane: Lane = Lane.ORDINARY) -> None:
            asked.append(lane)
            raise RateLimited("nothing is to leave in this test", 1.0)

    registry._client.cache_clear()
    monkeypatch.setattr(registry, "throttle_for", lambda *_: Refusing())
    client = VenueSessions(Vault(KEY)).session(world.account.pk, purpose).client
    with pytest.raises(RateLimited):
        client.account_snapshot()
    registry._client.cache_clear()
    # Its allowance is asked for first, in a lane of its own choosing.
    assert asked[-1] is lane


def test_refuses_what_is_no_key_without_showing_it(world: World) -> None:
    with pytest.raises(Configuration, match="account paper-1, secret KEY_orders") as caught:
        VenueSessions(Vault("no key at all")).session(world.account.pk, "orders")
    assert "no key at all" not in str(caught.value)


def test_orders_that_cannot_be_sent_for_want_of_a_key_end_and_say_so(world: World, monkeypatch) -> None:
    monkeypatch.setattr("apps.exchanges.orders.wake.wake", lambda *_, **__: None)
    order = world.place()
    wake_accounts([world.account.pk])
    sender = Sender(world.clock, NoKeys(), "w1")  # type: ignore[arg-type]
    assert sender.send(world.account.pk) == 1
    order.refresh_from_db()
    assert (order.status, order.reserved) == ("cancelled", 0)
    assert order.reason == "not sent: secret KEY_orders is not set"
    assert world.venue.calls == []
    assert sender.send(world.account.pk) == 0
    assert_books()
