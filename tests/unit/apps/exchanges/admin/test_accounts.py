"""What an operator may not set on an account."""

from __future__ import annotations

import pytest

from apps.exchanges.admin.accounts import AccountForm
from apps.exchanges.models import Account
from apps.exchanges.registry import accounts_followed
from tests.support.order_world import World, make_world

pytestmark = pytest.mark.django_db


def form(world: World, account: Account | None = None, **changes: object) -> AccountForm:
    data = {
        "code": "paper-99", "venue": world.account.venue_id, "portfolio": "paper", "address": "0x" + "9" * 40,
        "currency": "USDC", "enabled": "on",
    }  # fmt: skip
    return AccountForm({**data, **changes}, instance=account)


def test_refuses_to_enable_more_accounts_than_the_venue_tells_of() -> None:
    world = make_world()
    limit = accounts_followed("hyperliquid")
    assert limit
    for number in range(limit - 1):
        assert form(world).is_valid()
        Account.objects.create(
            code=f"more-{number}", venue=world.account.venue, portfolio=world.account.portfolio,
            address=f"0x{number:040x}", currency="USDC",
        )  # fmt: skip
    refused = form(world)
    assert refused.errors == {"enabled": [f"enabled accounts are {limit + 1}; allowed: {limit} per venue"]}
    assert form(world, enabled="").is_valid()
    same = {"code": world.account.code, "address": world.account.address}
    assert form(world, world.account, **same).is_valid()
