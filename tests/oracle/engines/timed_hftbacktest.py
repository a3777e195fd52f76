"""The plain quoter in hftbacktest, timed: it is woken by the clock only, as fast as that engine goes."""

import sys

import numpy as np
from hftbacktest import GTX, LIMIT, BacktestAsset, HashMapMarketDepthBacktest
from hftbacktest_quoter import PHASE_NS, SECOND, events_of
from numba import njit
from timed import serve


@njit
def quote(hbt, tick, first_ns, step_ns, offset, quantity):
    """Run the quoter to the end of the record."""
    number = 0
    hbt.elapse(1)
    ended = hbt.elapse(first_ns - hbt.current_timestamp)
    while ended == 0:
        hbt.clear_inactive_orders(0)
        values = hbt.orders(0).values()
        while values.has_next():
            order = values.get()
            if order.cancellable:
                hbt.cancel(0, order.order_id, False)
        depth = hbt.depth(0)
        bid, ask = depth.best_bid_tick - offset, depth.best_ask_tick + offset
        number += 2
        hbt.submit_buy_order(0, number - 1, bid * tick, quantity, GTX, LIMIT, False)
        hbt.submit_sell_order(0, number, ask * tick, quantity, GTX, LIMIT, False)
        ended = hbt.elapse(step_ns)


def prepare(columns, parameters):
    """Return the run; the record is put into the engine's form before."""
    case, tick = parameters["case"], parameters["tick"]
    events = events_of(columns, parameters["lot"], case["feed_ns"], case["shift_ns"])
    first = (int(events["local_ts"].min()) // SECOND + 1) * SECOND + PHASE_NS

    def run():
        asset = BacktestAsset().data([events]).linear_asset(1.0).tick_size(tick).lot_size(1.0)
        asset = asset.constant_order_latency(case["entry_ns"], case["answer_ns"]).trading_value_fee_model(0.0, 0.0)
        hbt = HashMapMarketDepthBacktest([asset.risk_adverse_queue_model().no_partial_fill_exchange()])
        quote(hbt, tick, first, np.int64(parameters["step_ns"]), case["offset"], float(case["lots"]))
        made = hbt.state_values(0).num_trades
        hbt.close()
        return made

    return run


if __name__ == "__main__":
    serve(prepare, sys.argv[1:])
