from __future__ import annotations

import pytest

from apps.exchanges.accounts.watched import watched_accounts
from apps.exchanges.market_data import service
from apps.exchanges.models import Account, Signer
from apps.risk.direct.accounts_file import read_rows
from moondev.domain.orders import TimeInForce
from tests.support.order_world import World, make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return make_world()


def disable() -> None:
    Account.objects.update(enabled=False)


def test_an_account_that_is_disabled_and_empty_is_not_looked_after(world: World) -> None:
    assert list(watched_accounts()) == [world.account]
    disable()
    assert not watched_accounts()


def test_a_disabled_account_with_a_live_order_is_looked_after_by_everybody(world: World) -> None:
    world.rest()
    disable()
    assert list(watched_accounts()) == [world.account]
    assert service._addresses(world.account.venue) == {world.account.pk: world.account.address}
    assert Signer.objects.filter(purpose=Signer.Purpose.DIRECT).exists()
    assert [account.code for account in read_rows()] == ["paper-1"]


def test_a_disabled_account_that_holds_a_position_is_looked_after(world: World) -> None:
    from apps.exchanges.orders.reconcile import reconcile_account

    world.rest(tif=TimeInForce.IOC)
    reconcile_account(world.account.pk, world.sessions, world.clock)
    disable()
    assert list(watched_accounts()) == [world.account]
