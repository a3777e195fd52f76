"""A position knows since when it has been open: from flat, or from the other side."""

from __future__ import annotations

from datetime import timedelta

import pytest

from apps.exchanges.models import Position
from apps.exchanges.orders.reconcile import reconcile_account
from moondev.domain.orders import TimeInForce
from moondev.domain.values import Side
from tests.support.order_world import World, make_world

pytestmark = pytest.mark.django_db


def trade(world: World, quantity: str, side: Side = Side.BUY) -> Position:
    world.clock.advance(timedelta(seconds=10))
    world.rest(quantity, tif=TimeInForce.IOC, side=side)
    reconcile_account(world.account.pk, world.sessions, world.clock)
    return Position.objects.get()


def test_a_position_is_as_old_as_its_first_fill_however_often_it_is_added_to_or_cut() -> None:
    world = make_world()
    opened = trade(world, "1").opened_at
    assert opened == world.clock.now()
    assert trade(world, "1").opened_at == opened
    assert trade(world, "1", Side.SELL).opened_at == opened


def test_it_begins_anew_after_having_been_flat_and_when_it_changes_sides() -> None:
    world = make_world()
    trade(world, "1")
    flat = trade(world, "1", Side.SELL)
    assert (flat.quantity, flat.opened_at) == (0, None)
    first = trade(world, "1").opened_at
    assert first == world.clock.now()
    assert trade(world, "3", Side.SELL).opened_at == world.clock.now() > first
