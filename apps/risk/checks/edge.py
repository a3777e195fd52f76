"""Edge: an order whose own strategy expects less of it than the fees of both ways is not worth opening.

Only what a strategy has said is judged: the edge it states, or else the distance to its take-profit, the most it can
make. Who states neither is not asked; nobody here guesses what an idea is worth.
"""

from __future__ import annotations

from apps.risk.checks.candidate import Breach, Candidate, Check
from apps.risk.models import LimitKind
from apps.risk.scope import Fees
from moondev.domain.decisions import RefusalCode
from moondev.domain.orders import OrderType, PlaceOrder, TimeInForce
from moondev.domain.values import Bps, Side


def find_edge_below_fees(candidate: Candidate) -> Breach | None:
    """Return a breach when the fees both ways are more than their share of the stated edge (basis points)."""
    share, order = candidate.limit(LimitKind.FEE_SHARE), candidate.request
    if share is None or not isinstance(order, PlaceOrder):
        return None
    edge = order.edge
    if edge is None:
        return None
    fees = candidate.facts.scope.fees
    if fees is None:
        return Breach(RefusalCode.EDGE_BELOW_FEES, "the venue's fees", "not known")
    least = (_way_in(candidate, order, fees).value + _way_out(order, fees).value) / share
    if edge.value >= least:
        return None
    return Breach(RefusalCode.EDGE_BELOW_FEES, round(least, 4), round(edge.value, 4))


def _way_in(candidate: Candidate, order: PlaceOrder, fees: Fees) -> Bps:
    """Return the maker's fee for an order that can only rest, or rests short of the middle, and else the taker's."""
    if order.time_in_force is TimeInForce.POST_ONLY:
        return fees.maker
    if order.order_type is not OrderType.LIMIT or order.time_in_force.immediate or candidate.mid is None:
        return fees.taker
    price = order.price.value
    waits = price < candidate.mid if order.side is Side.BUY else price > candidate.mid
    return fees.maker if waits else fees.taker


def _way_out(order: PlaceOrder, fees: Fees) -> Bps:
    """Return the fee of leaving: who only rests means to leave so too; take-profits and stops trade at the market."""
    return fees.maker if order.time_in_force is TimeInForce.POST_ONLY else fees.taker


EDGE = Check(
    name="edge against fees",
    codes={RefusalCode.EDGE_BELOW_FEES: "What its own strategy expects of it (bps) does not pay the fees both ways."},
    find=find_edge_below_fees,
    binds_reducing=False,
)
