from decimal import Decimal
from uuid import uuid4

from apps.risk.review import Reviewed
from apps.risk.together import held_together
from moondev.domain.decisions import RefusalCode, RiskApproved, RiskRefused
from moondev.domain.orders import OrderType, PlaceOrder, Purpose, TimeInForce
from moondev.domain.values import Price, Quantity, Side


def order(key: str, purpose: Purpose = Purpose.OPENING) -> PlaceOrder:
    return PlaceOrder(
        client_order_id=uuid4(),
        instrument=key,
        side=Side.BUY,
        order_type=OrderType.MARKET,
        time_in_force=TimeInForce.IOC,
        quantity=Quantity(Decimal(1)),
        price=Price(Decimal(100)),
        purpose=purpose,
        signal_id="s",
        leg=key,
    )


def halted(key: str, purpose: Purpose = Purpose.OPENING) -> RiskRefused:
    return RiskRefused(order(key, purpose), RefusalCode.TRADING_HALTED, "ACTIVE", "HALTED")


def test_a_refused_leg_takes_the_openings_of_its_group_with_it_and_nothing_else() -> None:
    opening, exit_, other = order("v:A"), order("v:A", Purpose.REDUCING), order("v:C")
    reviewed = Reviewed([RiskApproved(opening), RiskApproved(exit_), RiskApproved(other)], [], [halted("v:B")])
    after = held_together(reviewed, [{"v:A", "v:B"}, {"v:C", "v:D"}])
    assert [approved.request for approved in after.approved] == [exit_, other]
    assert [(one.request.instrument, one.code, one.value) for one in after.refused[1:]] == [
        ("v:A", RefusalCode.LEG_REFUSED, "v:B")
    ]


def test_without_groups_or_for_a_refused_exit_everything_stays() -> None:
    approved = [RiskApproved(order("v:A"))]
    assert held_together(Reviewed(approved, [], [halted("v:B")]), []).approved == approved
    exits = Reviewed(approved, [], [halted("v:B", Purpose.REDUCING)])
    assert held_together(exits, [{"v:A", "v:B"}]).approved == approved
