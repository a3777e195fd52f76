"""What holds on any record for any orders: nothing fills twice, nothing is given out that was not there."""

from collections import Counter, defaultdict

import numpy as np
import pytest

from apps.exchanges.market_data.history.quality.dataset import Dataset, Shape
from apps.strategies.backtest.costs import FREE
from apps.strategies.backtest.quoting.events import events_tape
from apps.strategies.backtest.quoting.floor import Floor, Tables
from apps.strategies.backtest.quoting.queues import Proportional, RiskAverse
from apps.strategies.backtest.quoting.tape import NS_PER_MS, TRADE
from apps.strategies.backtest.quoting.told import Fill, Fills, Update
from apps.strategies.backtest.results import DataSource
from moondev.domain.fills import Liquidity
from moondev.domain.orders import TimeInForce
from moondev.domain.values import Side
from tests.oracle.quoters import table_of, walked_events
from tests.unit.apps.strategies.backtest.quoting.tape_world import RICH, amend, cancel, instrument_of, order

STEP_NS = 150 * NS_PER_MS


@pytest.fixture(scope="module")
def tables():
    dataset = Dataset("walk", Shape.EVENTS, table_of(walked_events(1_500)))
    return Tables(events_tape(dataset, instrument_of(), DataSource("walk", "")))


def played(tables, queues, seed):
    """Send orders, amends and cancels at random; return what was told, and what was asked for by number."""
    random, tape = np.random.default_rng(seed), tables.tape
    floor = Floor(tables, FREE, RICH, queues, Fills.PARTIAL)
    asked, told, middle = {}, [], 600_000
    for now_ns in range(tape.starts_ns + STEP_NS, tape.ends_ns, STEP_NS):
        while (row := floor.next_row(now_ns)) is not None:
            middle = int(tape.ticks[row])
            floor.play(row)
        floor.skip(now_ns)
        number, side = len(asked) + 1, Side.BUY if random.integers(0, 2) else Side.SELL
        tick, lots = middle - side.sign * int(random.integers(-2, 6)), int(random.integers(1, 40))
        how = (TimeInForce.POST_ONLY, TimeInForce.GTC, TimeInForce.IOC)[random.integers(0, 3)]
        asked[number] = lots
        floor.receive(order(number, side, tick, lots, how=how), now_ns)
        if asked and random.integers(0, 3) == 0:
            floor.receive(cancel(int(random.integers(1, number + 1))), now_ns)
        if random.integers(0, 3) == 0:
            other = int(random.integers(1, number + 1))
            floor.receive(amend(other, tick, lots), now_ns)
            asked[other] += lots
        told += floor.told
        floor.told.clear()
    return floor, told, asked


@pytest.mark.parametrize(("queues", "seed"), [(RiskAverse(), 1), (RiskAverse(), 2), (Proportional(), 3)])
def test_nothing_fills_twice_and_nothing_is_given_out_that_was_not_there(tables, queues, seed):
    tape = tables.tape
    floor, told, asked = played(tables, queues, seed)
    fills = [one for one in told if isinstance(one, Fill)]
    made = [one for one in fills if one.liquidity is Liquidity.MAKER]
    assert len(made) > 20
    assert len(fills) - len(made) > 20
    filled = Counter()
    for fill in fills:
        filled[fill.client_order_id.int] += round(fill.quantity / tape.lot)
    assert all(filled[number] <= lots for number, lots in asked.items())
    # The venue's own account of it, and ours from what was told, are one.
    position = sum(fill.quantity * fill.side.sign for fill in fills)
    assert floor.position == position
    for update in (one for one in told if isinstance(one, Update)):
        assert 0 <= update.remaining <= update.quantity
    # At one stamp no more is made at a price than trades at or beyond it, or offers that came through, can bring.
    traded, beyond = defaultdict(int), defaultdict(lambda: False)
    for row in np.flatnonzero(tape.kinds == TRADE).tolist():
        traded[int(tape.happened_ns[row]), int(tape.ticks[row])] += int(tape.lots[row])
    for fill in made:
        tick = int(fill.price / tape.tick)
        rows = np.flatnonzero(tape.happened_ns == fill.at_ns)
        better = tape.ticks[rows] < tick if fill.side is Side.BUY else tape.ticks[rows] > tick
        met = (tape.ticks[rows] == tick) & (tape.kinds[rows] != TRADE) & (tape.sides[rows] == -fill.side.sign)
        beyond[fill.at_ns, tick] |= bool(np.any(better | met))
    given = Counter()
    for fill in made:
        given[fill.at_ns, int(fill.price / tape.tick)] += round(fill.quantity / tape.lot)
    assert all(lots <= traded[key] for key, lots in given.items() if not beyond[key])
