"""Places in a queue: only what all models agree on, and where they differ."""

import numpy as np
import pytest

from apps.strategies.backtest.quoting.queues import Proportional, RiskAverse
from moondev.domain.errors import InvalidValue


@pytest.mark.parametrize("model", [RiskAverse(), Proportional(), Proportional(3.0)])
def test_whoever_comes_last_stands_behind_all_and_trades_take_from_the_front(model):
    queue = model.join(10)
    assert (queue.ahead, queue.due) == (10, 0)
    queue.traded(6)
    queue.changed(10, 4)
    assert (queue.ahead, queue.due) == (4, 0)
    queue.traded(7)
    assert queue.due == 3


@pytest.mark.parametrize("model", [RiskAverse(), Proportional()])
def test_never_more_stand_ahead_than_stand_there(model):
    queue = model.join(10)
    queue.changed(10, 3)
    assert queue.ahead <= 3
    queue.changed(3, 50)
    assert queue.ahead <= 3


def test_a_risk_averse_place_takes_withdrawals_to_come_from_behind():
    queue = RiskAverse().join(10)
    queue.changed(10, 40)
    queue.changed(40, 12)
    assert queue.ahead == 10


def test_a_proportional_place_shares_withdrawals_by_what_stands_where():
    queue = Proportional().join(10)
    queue.changed(10, 40)  # 30 came behind
    queue.changed(40, 20)  # 20 go, three quarters of them from behind
    assert queue.ahead == pytest.approx(5.0)


def test_a_larger_power_believes_more_firmly_that_the_longer_part_lost():
    places = []
    for power in (1.0, 2.0, 4.0):
        queue = Proportional(power).join(10)
        queue.changed(10, 40)
        queue.changed(40, 30)
        places.append(queue.ahead)
    assert places == sorted(places)
    assert len(set(places)) == 3


def test_a_trade_that_the_book_tells_of_afterwards_is_not_counted_twice():
    queue = Proportional().join(10)
    queue.traded(6)
    queue.changed(10, 4)
    assert queue.ahead == 4
    queue.changed(4, 2)  # a withdrawal; nobody stands behind us
    assert queue.ahead == 2


def test_more_cannot_be_withdrawn_behind_us_than_stands_there():
    queue = Proportional(9.0).join(10)
    queue.changed(10, 13)
    queue.changed(13, 1)
    assert queue.ahead <= 1


def test_of_a_probable_lot_more_than_half_counts():
    queue = Proportional().join(1)
    for ahead, due in ((-0.4, 0), (-0.6, 1), (-1.4, 1), (-1.6, 2)):
        queue.ahead = ahead
        assert queue.due == due


def test_a_place_only_ever_moves_forward():
    random = np.random.default_rng(3)
    for model in (RiskAverse(), Proportional(), Proportional(2.5)):
        standing = 50
        queue = model.join(standing)
        for _ in range(300):
            before = queue.ahead
            if random.integers(0, 2):
                lots = int(random.integers(1, 5))
                queue.traded(lots)
                assert queue.ahead == before - lots
                standing_after = max(0, standing - lots)
            else:
                standing_after = int(random.integers(0, 100))
            queue.changed(standing, standing_after)
            standing = standing_after
            assert queue.ahead <= before


@pytest.mark.parametrize("power", [0.0, -1.0, float("nan"), float("inf")])
def test_a_power_that_is_none_is_refused(power):
    with pytest.raises(InvalidValue, match="power"):
        Proportional(power)
