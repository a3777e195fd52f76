from datetime import timedelta
from decimal import Decimal

import pytest

from apps.exchanges.accounts.retention import FINE_FOR, marks_thin
from apps.exchanges.models import EquityMark
from tests.support.order_world import World, make_world

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world(transactional_db) -> World:
    return make_world()


def mark(world: World, age: timedelta) -> None:
    EquityMark.objects.create(
        account=world.account,
        taken_at=world.clock.now() - age,
        venue_equity=Decimal(100),
        unrealised=0,
        margin_used=0,
    )


def test_old_marks_are_thinned_to_one_a_minute_and_fresh_ones_stay(world: World) -> None:
    for second in range(0, 180, 10):
        mark(world, FINE_FOR + timedelta(minutes=1, seconds=second))
        mark(world, timedelta(seconds=second))
    kept_before = EquityMark.objects.count()
    removed = marks_thin("hyperliquid", world.clock.now())
    old = EquityMark.objects.filter(taken_at__lt=world.clock.now() - FINE_FOR)
    minutes = {taken.replace(second=0, microsecond=0) for taken in old.values_list("taken_at", flat=True)}
    assert removed == kept_before - EquityMark.objects.count() > 0
    assert old.count() == len(minutes)
    assert EquityMark.objects.filter(taken_at__gte=world.clock.now() - FINE_FOR).count() == 18


def test_thinning_twice_removes_nothing_more(world: World) -> None:
    for second in range(30):
        mark(world, FINE_FOR + timedelta(minutes=5, seconds=second))
    marks_thin("hyperliquid", world.clock.now())
    assert marks_thin("hyperliquid", world.clock.now()) == 0


def test_another_venues_marks_are_left_alone(world: World) -> None:
    for second in range(30):
        mark(world, FINE_FOR + timedelta(minutes=5, seconds=second))
    assert marks_thin("elsewhere", world.clock.now()) == 0
