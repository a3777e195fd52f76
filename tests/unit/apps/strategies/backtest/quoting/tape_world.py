"""Made tapes for the quote backtest: a few rows, at the milliseconds a test wants."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from uuid import UUID

import numpy as np

from apps.strategies.backtest.costs import FREE, Costs
from apps.strategies.backtest.quoting.floor import Floor, Purse, Tables
from apps.strategies.backtest.quoting.queues import QueueModel, RiskAverse
from apps.strategies.backtest.quoting.tape import BUY, LEVEL, NS_PER_MS, SELL, TRADE, Tape
from apps.strategies.backtest.quoting.told import Fill, Fills
from apps.strategies.backtest.results import DataSource
from moondev.domain.instruments import Instrument, PriceGrid
from moondev.domain.orders import AmendOrder, CancelOrder, OrderType, PlaceOrder, Purpose, TimeInForce
from moondev.domain.values import Money, Price, Quantity, Side

D = Decimal
START_MS = 1_700_000_100_000  # a multiple of five minutes
RICH = Purse(D(1_000_000_000), D(20))
Row = tuple[int, int, int, int, int]

__all__ = ["BUY", "LEVEL", "SELL", "TRADE"]


def instrument_of(symbol: str = "BTC", venue: str = "made", quote: str = "USDT") -> Instrument:
    """Return an instrument with ticks of 0.1 and lots of 0.001."""
    return Instrument(
        venue, symbol, symbol, quote, PriceGrid(D("0.1")), Quantity(D("0.001")), Money(D("0.01"), quote), 20
    )  # fmt: skip


def bid(ms: int, tick: int, lots: int) -> Row:
    return (ms, LEVEL, BUY, tick, lots)


def ask(ms: int, tick: int, lots: int) -> Row:
    return (ms, LEVEL, SELL, tick, lots)


def sold(ms: int, tick: int, lots: int) -> Row:
    """Return a trade whose taker sold."""
    return (ms, TRADE, SELL, tick, lots)


def bought(ms: int, tick: int, lots: int) -> Row:
    """Return a trade whose taker bought."""
    return (ms, TRADE, BUY, tick, lots)


OPENING = [bid(0, 1000, 10), bid(0, 999, 20), bid(0, 998, 30), ask(0, 1001, 10), ask(0, 1002, 20), ask(0, 1003, 30)]


def tape_of(rows: Sequence[Row], instrument: Instrument | None = None, opening: Sequence[Row] = OPENING) -> Tape:
    """Return a tape of `opening` and `rows`; nothing is received before it happened."""
    every = [*opening, *rows]
    ms, kinds, sides, ticks, lots = (np.array(column) for column in zip(*every, strict=True))
    stamps = (START_MS + ms) * NS_PER_MS
    return Tape(
        instrument or instrument_of(), kinds.astype(np.int8), sides.astype(np.int8), ticks, lots, stamps, stamps,
        len(opening), DataSource("made", "hash"),
    )  # fmt: skip


def floor_of(
    rows: Sequence[Row], queues: QueueModel | None = None, fills: Fills = Fills.PARTIAL, costs: Costs = FREE,
    purse: Purse = RICH,
) -> Floor:  # fmt: skip
    """Return the venue's side of such a tape."""
    return Floor(Tables(tape_of(rows)), costs, purse, queues or RiskAverse(), fills)


def at(ms: int) -> int:
    """Return the nanoseconds of a millisecond after the start."""
    return (START_MS + ms) * NS_PER_MS


def order(
    number: int, side: Side, tick: int, lots: int, *, how: TimeInForce = TimeInForce.POST_ONLY,
    kind: OrderType = OrderType.LIMIT, trigger: int | None = None, purpose: Purpose = Purpose.OPENING,
) -> PlaceOrder:  # fmt: skip
    """Return a request for an order."""
    return PlaceOrder(
        client_order_id=UUID(int=number),
        instrument="made:BTC",
        side=side,
        order_type=kind,
        time_in_force=how,
        quantity=Quantity(lots * D("0.001")),
        price=Price(tick * D("0.1")),
        purpose=purpose,
        signal_id="test",
        leg=str(number),
        trigger_price=None if trigger is None else Price(trigger * D("0.1")),
    )


def cancel(number: int) -> CancelOrder:
    return CancelOrder(UUID(int=number), "made:BTC", "test")


def amend(number: int, tick: int, lots: int) -> AmendOrder:
    return AmendOrder(
        UUID(int=number), "made:BTC", Quantity(lots * D("0.001")), Price(tick * D("0.1")), Quantity(D(0))
    )  # fmt: skip


def play(floor: Floor, until_ms: int) -> list[tuple[int, int, int, int]]:
    """Let the record happen up to then; return the fills as (ms, number of the order, tick, lots)."""
    while (row := floor.next_row(at(until_ms))) is not None:
        floor.play(row)
    floor.skip(at(until_ms))
    return fills(floor)


def fills(floor: Floor) -> list[tuple[int, int, int, int]]:
    """Return the fills that were told so far, and forget what was told."""
    found = [
        (told.at_ns // NS_PER_MS - START_MS, told.client_order_id.int, int(told.price * 10), int(told.quantity * 1000))
        for told in floor.told
        if isinstance(told, Fill)
    ]
    floor.told.clear()
    return found
