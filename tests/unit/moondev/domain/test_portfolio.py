from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from moondev.domain.portfolio import Holding
from moondev.domain.values import Price, Quantity, Side

fills = st.lists(
    st.tuples(
        st.sampled_from(Side),
        st.decimals(min_value="0.001", max_value="100", places=3),
        st.decimals(min_value="0.1", max_value="100000", places=1),
        st.decimals(min_value="-1", max_value="1", places=6),
    ),
    max_size=40,
)


def booked(trades: list[tuple[Side, Decimal, Decimal, Decimal]]) -> Holding:
    holding = Holding()
    for side, quantity, price, fee in trades:
        holding = holding.filled(side, Quantity(quantity), Price(price), fee)
    return holding


@given(fills, st.decimals(min_value="0.1", max_value="100000", places=1))
def test_equity_is_exactly_the_cash_that_moved_plus_the_position_at_the_mark(
    trades: list[tuple[Side, Decimal, Decimal, Decimal]], mark: Decimal
) -> None:
    holding = booked(trades)
    cash = sum((-side.sign * quantity * price - fee for side, quantity, price, fee in trades), Decimal(0))
    assert holding.equity(mark) == cash + holding.quantity * mark


@given(fills)
def test_a_flat_holding_has_no_cost_left(trades: list[tuple[Side, Decimal, Decimal, Decimal]]) -> None:
    holding = booked(trades)
    if holding.quantity == 0:
        assert holding.cost == 0
        assert holding.entry_price is None
    else:
        assert holding.cost * holding.quantity > 0


@given(fills)
def test_long_and_short_are_mirror_images(trades: list[tuple[Side, Decimal, Decimal, Decimal]]) -> None:
    mirrored = booked([(side.opposite, quantity, price, fee) for side, quantity, price, fee in trades])
    holding = booked(trades)
    assert (mirrored.quantity, mirrored.cost) == (-holding.quantity, -holding.cost)
    assert mirrored.realised == -holding.realised


def test_a_fill_through_zero_closes_then_opens_at_the_fill_price() -> None:
    holding = booked(
        [(Side.BUY, Decimal(2), Decimal(100), Decimal(0)), (Side.SELL, Decimal(3), Decimal(110), Decimal(0))]
    )
    assert holding.realised == 20
    assert holding.entry_price == Price(Decimal(110))
    assert holding.quantity == -1


def test_adding_moves_the_average_and_realises_nothing() -> None:
    holding = booked(
        [(Side.BUY, Decimal(1), Decimal(100), Decimal(0)), (Side.BUY, Decimal(1), Decimal(110), Decimal(0))]
    )
    assert holding.entry_price == Price(Decimal(105))
    assert holding.realised == 0


def test_funding_received_and_fees_paid_move_equity_their_own_way() -> None:
    holding = booked([(Side.BUY, Decimal(1), Decimal(100), Decimal("0.5"))]).funded(Decimal("0.2"))
    assert holding.equity(Decimal(100)) == Decimal("-0.3")
