"""What a halt sends to close a position, stage by stage, on every venue: nothing of it ever opens."""

from __future__ import annotations

import pytest

from apps.exchanges.capabilities import Support
from moondev.domain.orders import OrderStatus, Purpose, TimeInForce
from moondev.domain.values import Side
from tests.contract.suite.orders import limit, market
from tests.contract.suite.scene import Trader, VenueScene
from tests.contract.suite.test_orders import NOT_DONE, ended
from tests.contract.suite.waiting import until

pytestmark = pytest.mark.contract
HELD = "0.03"


def exit_order(scene: VenueScene, at: int, tif: TimeInForce, quantity: str = HELD):
    """Return an exit of a long position, as `exit_orders` writes it."""
    return limit(scene.key(), Side.SELL, at, quantity, tif, Purpose.REDUCING)


def test_an_exit_rests_at_the_touch_where_that_is_safe_is_taken_back_and_then_takes_what_is_there(
    scene: VenueScene, trader: Trader
) -> None:
    trader.place(market(scene.key(), Side.BUY, HELD))
    able = scene.capabilities
    if able.resting_reduce_only is Support.NATIVE and able.times_in_force.get(TimeInForce.POST_ONLY) is Support.NATIVE:
        resting = exit_order(scene, 50_010, TimeInForce.POST_ONLY)
        (report,) = trader.place(resting)
        assert report.status is OrderStatus.OPEN
        trader.cancel(resting)
        gone = trader.known(resting.client_order_id, *NOT_DONE)
        assert gone.status is OrderStatus.CANCELLED
        crossing = exit_order(scene, 49_900, TimeInForce.POST_ONLY)
        (report,) = trader.place(crossing)
        assert ended(trader, report).status in NOT_DONE
    assert [float(held) for held in trader.engine_positions().values()] == [float(HELD)]

    # Within the bound it takes what is there; where nobody trades within it, nothing is left behind.
    nobody = exit_order(scene, 50_005, TimeInForce.IOC)
    (report,) = trader.place(nobody)
    assert ended(trader, report).status in NOT_DONE
    through = exit_order(scene, 49_750, TimeInForce.IOC)
    (report,) = trader.place(through)
    assert ended(trader, report).status is OrderStatus.FILLED
    until(lambda: trader.engine_positions() == {}, "flat")

    # Once more, as after a crash in between: there is nothing to reduce, so nothing happens.
    (report,) = trader.place(exit_order(scene, 47_500, TimeInForce.IOC))
    assert ended(trader, report).status in NOT_DONE
    assert trader.engine_positions() == {}
    assert trader.client.open_orders() == []
