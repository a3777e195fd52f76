"""A recorded order book through nautilus-trader, timed: it keeps the book and sees the trades, with no order in it."""

import sys

import numpy as np
from nautilus_cross import INSTRUMENT, perpetual
from nautilus_trader.backtest.config import BacktestEngineConfig
from nautilus_trader.backtest.engine import BacktestEngine
from nautilus_trader.config import LoggingConfig
from nautilus_trader.model import BookOrder, Money, OrderBookDelta, Price, Quantity, TradeId, TradeTick
from nautilus_trader.model.currencies import USDT
from nautilus_trader.model.enums import AccountType, AggressorSide, BookAction, BookType, OmsType, OrderSide, RecordFlag
from timed import serve

SNAPSHOT_ROW, CHANGE_ROW, TRADE_ROW = 2, 3, 4
PLACES, LOTS = 1, 3


def prepare(columns, _parameters):
    """Return the run; the record is put into the engine's form before."""
    data = records_of(columns)

    def run():
        engine = BacktestEngine(BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True)))
        engine.add_venue(
            INSTRUMENT.venue, OmsType.NETTING, AccountType.MARGIN, [Money(1_000_000, USDT)],
            base_currency=USDT, book_type=BookType.L2_MBP,
        )  # fmt: skip
        engine.add_instrument(perpetual(0.0, PLACES))
        engine.add_data(data, sort=False)
        engine.run()
        made = len(engine.cache.orders())
        engine.dispose()
        return made

    return run


def records_of(columns):
    """Return the snapshot's levels, then changes and trades by the time they happened."""
    kinds, seq, happened = columns["type"], columns["seq"], columns["exch_ts_ms"] * 1_000_000
    opening = np.flatnonzero(kinds == SNAPSHOT_ROW)
    changes = np.flatnonzero((kinds == CHANGE_ROW) & (seq > seq[opening[0]]))
    trades = np.flatnonzero((kinds == TRADE_ROW) & (happened >= happened[opening[0]]))
    later = np.sort(np.concatenate([changes, trades]))
    rows = np.concatenate([opening, later[np.argsort(happened[later], kind="stable")]])
    stamps = np.maximum.accumulate(happened[rows])
    fields = zip(
        kinds[rows].tolist(), columns["side"][rows].tolist(), columns["price"][rows].tolist(),
        columns["size"][rows].tolist(), stamps.tolist(), strict=True,
    )  # fmt: skip
    return [_record(number, *row) for number, row in enumerate(fields)]


def _record(number, kind, side, price, size, stamp):
    cost, amount = Price(price, PLACES), Quantity(size, LOTS)
    if kind == TRADE_ROW:
        aggressor = AggressorSide.BUYER if side == 1 else AggressorSide.SELLER
        return TradeTick(INSTRUMENT, cost, amount, aggressor, TradeId(str(number)), stamp, stamp)
    action = BookAction.DELETE if size == 0 else BookAction.UPDATE
    order = BookOrder(OrderSide.BUY if side == 1 else OrderSide.SELL, cost, amount, number)
    return OrderBookDelta(INSTRUMENT, action, order, RecordFlag.F_LAST, number, stamp, stamp)


if __name__ == "__main__":
    serve(prepare, sys.argv[1:])
