"""Which pairs are worth opening now: gaps that pay for themselves, or funding that does."""

from __future__ import annotations

from dataclasses import dataclass

from apps.strategies.library.arbitraging.depth import BPS_IN_ONE, average_price, reach
from apps.strategies.library.arbitraging.memory import Trade
from apps.strategies.library.arbitraging.scene import Scene, can_be_short, common_lots, tradable, weight_of
from moondev.domain.market_data import Book

HOURS_IN_DAY = 24


@dataclass(frozen=True, slots=True)
class Opening:
    """A trade that could be opened, and what it promises in basis points, to choose by."""

    trade: Trade
    promise_bps: float


def opening(scene: Scene, buy: str, sell: str) -> Opening | None:
    """Return the trade that buys in one instrument and sells in the other; None when it is not worth it."""
    here, there = scene.fresh_book(buy), scene.fresh_book(sell)
    if here is None or there is None or not scene.in_step(here, there) or not scene.allocation > 0:
        return None
    if not can_be_short(scene.instruments[sell]):
        return None
    if scene.params.mode == "funding_carry":
        return _carry(scene, buy, sell, here, there)
    return _gap(scene, buy, sell, here, there)


def least_edge(scene: Scene, buy: str, sell: str) -> float:
    """Return the edge, as a share of the price paid, above which a gap is traded.

    The edge has paid the entry's fees and slippage already; here are the profit and, when counted, the way out.
    """
    params = scene.params
    least = params.min_profit_bps / BPS_IN_ONE
    if params.count_unwinding:
        least += scene.fee(buy) + scene.fee(sell) + params.close_gap_bps / BPS_IN_ONE
    return least


def carry_bps_per_day(scene: Scene, buy: str, sell: str) -> float | None:
    """Return what a day of holding long `buy` and short `sell` earns; None when a rate is not known.

    Every rate is per hour, whatever the venue's own interval.
    """
    paid, received = scene.funding(buy), scene.funding(sell)
    if paid is None or received is None:
        return None
    return (received - paid) * HOURS_IN_DAY * BPS_IN_ONE


def way_bps(scene: Scene, buy: str, sell: str, here: Book, there: Book) -> float:
    """Return what the way in and out costs: four taker fees, both spreads, and slippage twice."""
    spreads = here.spread / here.mid + there.spread / there.mid
    fees = 2 * (scene.fee(buy) + scene.fee(sell))
    return (fees + spreads) * BPS_IN_ONE + 2 * scene.params.slippage_bps


def _gap(scene: Scene, buy: str, sell: str, here: Book, there: Book) -> Opening | None:
    costs, least = scene.costs(buy, sell), least_edge(scene, buy, sell)
    found = reach(here.asks, there.bids, costs, least, _most(scene, here, there))
    trade = _sized(scene, buy, sell, here, there, found.quantity)
    if trade is None:
        return None
    return Opening(trade, costs.edge(found.bid, found.ask) / found.ask * BPS_IN_ONE)


def _carry(scene: Scene, buy: str, sell: str, here: Book, there: Book) -> Opening | None:
    carry = carry_bps_per_day(scene, buy, sell)
    if carry is None or carry < scene.params.min_carry_bps_per_day:
        return None
    payback_hours = way_bps(scene, buy, sell, here, there) / carry * HOURS_IN_DAY
    if payback_hours > scene.params.max_payback_hours:
        return None
    # Not more than lies at the best prices: beyond them the way would cost more than was reckoned.
    most = min(_most(scene, here, there), here.asks[0].size, there.bids[0].size)
    trade = _sized(scene, buy, sell, here, there, most)
    return None if trade is None else Opening(trade, carry)


def _most(scene: Scene, here: Book, there: Book) -> float:
    """Return how much each leg may be: the share of the allocation, and the limit on its worth."""
    worth = min(scene.params.order_weight_percent / 100 * scene.allocation, scene.params.most_notional)
    return worth / max(here.mid, there.mid)


def _sized(scene: Scene, buy: str, sell: str, here: Book, there: Book, most: float) -> Trade | None:
    """Return the trade in what both venues can hold exactly; None when that is too small for one of them."""
    one, other = scene.instruments[buy], scene.instruments[sell]
    quantity = common_lots(most, one, other)
    cheapest = min(here.bids[0].price, there.bids[0].price)
    if not (tradable(quantity, cheapest, one) and tradable(quantity, cheapest, other)):
        return None
    weights = (
        weight_of(quantity, here.mid, one, scene.allocation),
        weight_of(quantity, there.mid, other, scene.allocation),
    )
    ask, bid = average_price(here.asks, quantity), average_price(there.bids, quantity)
    if max(weights) > 1 or ask is None or bid is None:
        return None
    return Trade(
        buy=buy,
        sell=sell,
        signal=f"{one.venue}-{other.venue}:{one.asset}:{scene.now_ms}"[:90],
        quantity=quantity,
        buy_weight=weights[0],
        sell_weight=weights[1],
        entry_gap_bps=(bid - ask) / ask * BPS_IN_ONE,
        opened_ms=scene.now_ms,
    )
