"""A plain quoter in hftbacktest: once a second cancel all, then rest a bid and an ask some ticks behind the touch.

The record comes as a recorder wrote it and is put into hftbacktest's form here, independently of our own reader.
"""

import numpy as np
from answering import answer
from hftbacktest import (
    BUY_EVENT,
    DEPTH_EVENT,
    DEPTH_SNAPSHOT_EVENT,
    EXCH_EVENT,
    FILLED,
    GTX,
    LIMIT,
    LOCAL_EVENT,
    SELL_EVENT,
    TRADE_EVENT,
    BacktestAsset,
    HashMapMarketDepthBacktest,
)
from hftbacktest.data import correct_event_order
from hftbacktest.order import PARTIALLY_FILLED
from hftbacktest.types import event_dtype
from numba import njit

SECOND = 1_000_000_000
# Off the venue's grid of milliseconds, so that nothing happens at the very moment of a decision.
PHASE_NS = 123_457
CHANGE_ROW, TRADE_ROW, SNAPSHOT_ROW = 2, 3, 4
MOST_FILLS = 100_000
# What a wait may end with: time over, news from the market, news of an order. All else ends the run.
GOES_ON = (0, 2, 3)


def events_of(columns, lot, feed_ns, shift_ns):
    """Return the record as events, heard `feed_ns` later or, if that is None, when recorded, `shift_ns` put on top."""
    kinds, seq, happened = columns["type"], columns["seq"], columns["exch_ts_ms"] * 1_000_000
    opening = np.flatnonzero(kinds == SNAPSHOT_ROW)
    changes = np.flatnonzero((kinds == CHANGE_ROW) & (seq > seq[opening[0]]))
    trades = np.flatnonzero((kinds == TRADE_ROW) & (happened >= happened[opening[0]]))
    later = np.sort(np.concatenate([changes, trades]))
    rows = np.concatenate([opening, later[np.argsort(happened[later], kind="stable")]])
    events = np.zeros(len(rows), event_dtype)
    found = kinds[rows]
    what = np.select(
        [found == SNAPSHOT_ROW, found == TRADE_ROW], [DEPTH_SNAPSHOT_EVENT, TRADE_EVENT], DEPTH_EVENT
    )  # fmt: skip
    side = np.where(columns["side"][rows] == 1, BUY_EVENT, SELL_EVENT)
    events["ev"] = what | side | EXCH_EVENT | LOCAL_EVENT
    stamps = happened[rows]
    stamps[: len(opening)] = min(stamps[0], stamps[len(opening)])
    received = np.maximum(columns["local_ts_ns"][rows], columns["local_ts_ns"][opening[0]])
    events["exch_ts"] = stamps
    events["local_ts"] = received + shift_ns if feed_ns is None else stamps + feed_ns
    events["px"] = columns["price"][rows]
    # In whole lots: with sizes such as 0.003 its sums are off by a bit of a float, and a lot comes a trade too late.
    events["qty"] = np.round(columns["size"][rows] / lot)
    if np.all(np.diff(events["local_ts"]) >= 0):
        return events
    happened_order, heard_order = (np.argsort(events[name], kind="mergesort") for name in ("exch_ts", "local_ts"))
    return correct_event_order(events, happened_order, heard_order)


@njit
def quote(hbt, tick, first_ns, step_ns, offset, quantity, fills):
    """Run the quoter; fill rows of `fills` with (time, side, tick, lots).

    Return how many rows, the code that ended the run (1: the end of the data) and when that was.
    """
    count, number, wake = 0, 0, first_ns
    had_before = np.zeros(1_000_000)
    hbt.elapse(1)
    while True:
        # Every answer is looked at when it comes, so that no execution hides behind the next.
        while hbt.current_timestamp < wake:
            code = hbt.wait_next_feed(True, wake - hbt.current_timestamp)
            if code not in GOES_ON:
                return count, code, hbt.current_timestamp
            values = hbt.orders(0).values()
            while values.has_next():
                order = values.get()
                if order.status in (FILLED, PARTIALLY_FILLED):
                    had = order.qty - order.leaves_qty
                    new = had - had_before[order.order_id]
                    if new > 0:
                        fills[count, 0], fills[count, 1] = order.exch_timestamp, order.side
                        fills[count, 2], fills[count, 3] = order.price_tick, np.round(new)
                        had_before[order.order_id] = had
                        count += 1
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
        wake += step_ns


def run(columns, parameters, case):
    """Return one case's fills."""
    tick, lot = parameters["tick"], parameters["lot"]
    events = events_of(columns, lot, case["feed_ns"], case["shift_ns"])
    asset = BacktestAsset().data([events]).linear_asset(1.0).tick_size(tick).lot_size(1.0)
    asset = asset.constant_order_latency(case["entry_ns"], case["answer_ns"]).trading_value_fee_model(0.0, 0.0)
    power = case["power"]
    asset = asset.risk_adverse_queue_model() if power is None else asset.power_prob_queue_model(power)
    asset = asset.partial_fill_exchange() if case["filled"] == "partial" else asset.no_partial_fill_exchange()
    hbt = HashMapMarketDepthBacktest([asset])
    fills = np.zeros((MOST_FILLS, 4), np.int64)
    first = (int(events["local_ts"].min()) // SECOND + 1) * SECOND + PHASE_NS
    count, code, ended = quote(hbt, tick, first, SECOND, case["offset"], float(case["lots"]), fills)
    hbt.close()
    return {"first_ns": first, "code": code, "ended_ns": ended, "fills": fills[:count].tolist()}


def reply(columns, parameters):
    """Run every case."""
    return {case["name"]: run(columns, parameters, case) for case in parameters["cases"]}


if __name__ == "__main__":
    answer(reply, "hftbacktest", "numba")
