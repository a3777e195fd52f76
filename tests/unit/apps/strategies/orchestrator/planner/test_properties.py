"""What holds for every wish in every situation."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from apps.strategies.orchestrator.planner import plan
from apps.strategies.orchestrator.planner.situation import tolerance
from apps.strategies.orchestrator.planner.targets import stop_passed
from moondev.domain.desired import Quote, Quotes
from moondev.domain.orders import NON_FINAL, AmendOrder, OrderStatus, OrderType, PlaceOrder, Purpose, TimeInForce
from moondev.domain.values import ZERO, Price, Quantity, Side
from tests.unit.apps.strategies.orchestrator.toy_market import BTC, NOW, ToyMarket, d, rules, sized, working

lots = st.integers(min_value=1, max_value=300).map(lambda n: str(n * d("0.001")))
maybe_lots = st.integers(min_value=-300, max_value=300).map(lambda n: str(n * d("0.001")))
prices = st.integers(min_value=45_000, max_value=55_000).map(str)
sides = st.sampled_from(list(Side))


@st.composite
def orders(draw):
    kind = draw(st.sampled_from(["limit", "quote", "market", "stop", "take_profit"]))
    quantity = draw(lots)
    more = {
        "filled": draw(st.sampled_from(["0", quantity, str(d(quantity) // d("0.002") * d("0.001"))])),
        "status": draw(st.sampled_from(sorted(NON_FINAL))),
        "purpose": draw(st.sampled_from([Purpose.OPENING, Purpose.REDUCING])),
    }
    if kind == "quote":
        more |= {"time_in_force": TimeInForce.POST_ONLY}
    if kind == "market":
        more |= {"order_type": OrderType.MARKET, "time_in_force": TimeInForce.IOC}
    if kind in {"stop", "take_profit"}:
        more |= {"order_type": OrderType(kind), "purpose": Purpose.PROTECTIVE, "trigger": draw(prices)}
    return working(draw(sides), quantity, draw(prices), **more)


@st.composite
def markets(draw):
    market = ToyMarket(BTC, d(draw(prices)), d(draw(maybe_lots)))
    market.orders = {order.client_order_id: order for order in draw(st.lists(orders(), max_size=6))}
    return market


@st.composite
def targets(draw):
    quantity = draw(maybe_lots)
    levels = {name: draw(st.none() | prices) for name in ("entry", "stop", "take_profit")}
    return sized(quantity, fresh=draw(st.booleans()), **levels)


@st.composite
def ladders(draw):
    bids = draw(st.lists(st.tuples(st.integers(45_000, 49_900), lots), max_size=4))
    asks = draw(st.lists(st.tuples(st.integers(50_100, 55_000), lots), max_size=4))

    def side(levels, sign):
        best_first = sorted(dict(levels).items(), key=lambda level: level[0] * sign)
        return tuple(Quote(Price(d(price)), Quantity(d(quantity))) for price, quantity in best_first)

    return Quotes(BTC.key, side(bids, -1), side(asks, 1))


wishes = targets() | ladders()


def planned(wish, market, tick=1):
    return plan([wish], {BTC.key: market.situation()}, rules(tick), NOW)


def side_total(market, side):
    return sum(
        (o.remaining.value for o in market.orders.values() if o.side is side and o.purpose is not Purpose.PROTECTIVE),
        ZERO,
    )


@settings(max_examples=300)
@given(wishes, markets())
def test_quantities_lie_on_the_lot_and_prices_on_the_grid(wish, market):
    for request in planned(wish, market).requests:
        if isinstance(request, PlaceOrder):
            assert request.quantity.value % BTC.lot.value == 0
            assert BTC.price_grid.holds(request.price)
            assert request.trigger_price is None or BTC.price_grid.holds(request.trigger_price)


@settings(max_examples=300)
@given(wishes, markets())
def test_amends_never_enlarge_and_name_the_fills_they_know(wish, market):
    for request in planned(wish, market).requests:
        if isinstance(request, AmendOrder):
            order = market.orders[request.client_order_id]
            assert Quantity(ZERO) < request.remaining <= order.remaining
            assert request.filled_when_planned == order.filled
            assert order.status in {OrderStatus.OPEN, OrderStatus.PARTIALLY_FILLED}


@settings(max_examples=300)
@given(wishes, markets())
def test_opens_nothing_while_an_order_is_unknown(wish, market):
    lost = working(Side.BUY, "0.001", status=OrderStatus.UNKNOWN)
    market.orders[lost.client_order_id] = lost
    placed = [r for r in planned(wish, market).requests if isinstance(r, PlaceOrder)]
    assert all(request.purpose is not Purpose.OPENING for request in placed)


@settings(max_examples=300)
@given(wishes, markets())
def test_new_reducing_orders_fit_into_what_live_ones_leave_of_the_position(wish, market):
    placed = [r for r in planned(wish, market).requests if isinstance(r, PlaceOrder) and r.purpose is Purpose.REDUCING]
    live = [o for o in market.orders.values() if o.purpose is Purpose.REDUCING]
    for side in Side:
        new = sum((r.quantity.value for r in placed if r.side is side), ZERO)
        if new:
            assert market.position * side.sign < 0
            assert new + sum((o.remaining.value for o in live if o.side is side), ZERO) <= abs(market.position)


@settings(max_examples=300)
@given(targets(), markets())
def test_a_target_is_never_overshot_whatever_fills(wish, market):
    wanted, position = wish.quantity.value, market.position
    for request in planned(wish, market).requests:
        if not isinstance(request, PlaceOrder) or request.purpose is Purpose.PROTECTIVE:
            continue
        new = sum(
            r.quantity.value
            for r in planned(wish, market).requests
            if isinstance(r, PlaceOrder) and r.purpose is not Purpose.PROTECTIVE
        )
        reach = position + request.side.sign * (side_total(market, request.side) + new)
        assert reach <= max(wanted, ZERO) if request.side is Side.BUY else reach >= min(wanted, ZERO)


@settings(max_examples=300)
@given(ladders(), markets())
def test_a_side_never_holds_more_than_its_quotes(wish, market):
    placed = [r for r in planned(wish, market).requests if isinstance(r, PlaceOrder)]
    for side in Side:
        new = sum((r.quantity.value for r in placed if r.side is side), ZERO)
        if new:
            quoted = sum(q.quantity.value for q in wish.side(side))
            assert new + side_total(market, side) <= quoted


@settings(max_examples=300)
@given(wishes, markets())
def test_the_same_tick_planned_again_asks_for_nothing_new(wish, market):
    first = planned(wish, market)
    market.accept(first)
    again = planned(wish, market)
    placed = {r.client_order_id for r in first.requests if isinstance(r, PlaceOrder)}
    # What was placed a moment ago and does not fit a cancel still under way may be taken back, never doubled.
    assert {r.client_order_id for r in again.requests if isinstance(r, PlaceOrder)} <= placed


@settings(max_examples=300)
@given(wishes, markets(), st.sampled_from([OrderStatus.APPROVED, OrderStatus.SENDING]))
def test_the_next_tick_places_nothing_while_the_orders_of_this_one_are_in_flight(wish, market, status):
    market.accept(planned(wish, market), status)
    assert not [r for r in planned(wish, market, tick=2).requests if isinstance(r, PlaceOrder)]


@settings(max_examples=300)
@given(wishes, markets())
def test_carrying_plans_out_ends_with_nothing_to_do(wish, market):
    settle = {OrderStatus.CANCELLING: None, OrderStatus.UNKNOWN: None, OrderStatus.CREATED: OrderStatus.OPEN}
    for tick in range(1, 8):
        made = planned(wish, market, tick)
        if tick > 2 and not made.requests:
            break
        market.carry_out(made)
        for order in list(market.orders.values()):
            if order.status in settle and settle[order.status] is None:
                market.orders.pop(order.client_order_id)
            elif order.status not in {OrderStatus.OPEN, OrderStatus.PARTIALLY_FILLED}:
                market.orders[order.client_order_id] = replace(order, status=OrderStatus.OPEN)
        _drop_reducing_orders_beyond_the_position(market)
    assert planned(wish, market, 99).requests == ()


def _drop_reducing_orders_beyond_the_position(market):
    """Do what a venue does with reduce-only orders that could no longer reduce."""
    for order in list(market.orders.values()):
        if order.purpose.reduces and market.position * order.side.sign >= 0:
            market.orders.pop(order.client_order_id)


@settings(max_examples=200)
@given(targets(), maybe_lots, st.data())
def test_converges_on_the_target_through_partial_fills(wish, position, data):
    market = ToyMarket(BTC, d(50_000), d(position))
    for tick in range(1, 12):
        market.carry_out(planned(replace(wish, fresh=tick == 1), market, tick))
        for order in _trading(market):
            share = data.draw(st.integers(0, order.remaining.value // BTC.lot.value))
            if share:
                market.fill(order, share * BTC.lot.value)
        _drop_reducing_orders_beyond_the_position(market)
    for order in _trading(market):
        market.fill(order, order.remaining.value)
    at = market.situation()
    wanted = ZERO if stop_passed(wish.target, at) else wish.quantity.value
    allowed = tolerance(wanted, at.mid, BTC) if wanted else ZERO
    assert abs(market.position - wanted) <= allowed


def _trading(market):
    return [order for order in market.orders.values() if order.purpose is not Purpose.PROTECTIVE]
