"""However an amended order's messages are cut into batches, its end is told once and only at its end."""

from datetime import UTC, datetime
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from apps.exchanges.ports import ReportSource
from apps.exchanges.venues.hyperliquid.stream import ReplacedOrders
from moondev.domain.orders import OrderReport, OrderStatus

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def report(name: int | None, oid: int, status: OrderStatus) -> OrderReport:
    return OrderReport(
        source=ReportSource.STREAM,
        client_order_id=None if name is None else UUID(int=name),
        venue_order_id=str(oid),
        status=status,
        time_exchange=NOW,
        time_received=NOW,
    )


def life(name: int, first_oid: int, amendments: int) -> list[OrderReport]:
    said = [report(name, first_oid, OrderStatus.OPEN)]
    for oid in range(first_oid, first_oid + amendments):
        said += [report(name, oid + 1, OrderStatus.OPEN), report(name, oid, OrderStatus.CANCELLED)]
    return [*said, report(name, first_oid + amendments, OrderStatus.CANCELLED)]


@given(amendments=st.integers(0, 6), cuts=st.lists(st.integers(1, 4), min_size=20, max_size=20))
def test_only_the_last_venue_id_ends_the_order(amendments: int, cuts: list[int]) -> None:
    said, replaced, passed = life(1, 10, amendments), ReplacedOrders(), []
    for size in cuts:
        passed += replaced.without(said[:size])
        said = said[size:]
    ends = [one for one in passed if one.status is OrderStatus.CANCELLED]
    assert [one.venue_order_id for one in ends] == [str(10 + amendments)]
    assert passed[-1] is ends[0]


def test_within_one_batch_the_order_of_the_two_messages_does_not_matter() -> None:
    swapped = [report(1, 5, OrderStatus.CANCELLED), report(1, 6, OrderStatus.OPEN)]
    assert [one.venue_order_id for one in ReplacedOrders().without(swapped)] == ["6"]


def test_fills_of_a_replaced_order_are_kept() -> None:
    replaced = ReplacedOrders()
    replaced.without([report(1, 6, OrderStatus.OPEN)])
    assert replaced.without([report(1, 5, OrderStatus.FILLED)]) == (report(1, 5, OrderStatus.FILLED),)


def test_orders_without_a_name_of_ours_pass() -> None:
    foreign = report(None, 5, OrderStatus.CANCELLED)
    assert ReplacedOrders().without([foreign]) == (foreign,)


def test_it_remembers_only_so_many() -> None:
    replaced = ReplacedOrders(capacity=2)
    for name in (1, 2, 3):
        replaced.without([report(name, 100 + name, OrderStatus.OPEN)])
    assert len(replaced._newest) == 2
    forgotten = report(1, 5, OrderStatus.CANCELLED)
    assert replaced.without([forgotten]) == (forgotten,)
