"""Running sums of a review: what the strategy holds, has working, and got approved so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from apps.exchanges.models import ScopeKind
from apps.risk.checks.candidate import Candidate, Resting, Tally
from moondev.domain.instruments import Instrument
from moondev.domain.orders import CancelOrder, OrderRequest, OrderStatus, PlaceOrder, Purpose, WorkingOrder
from moondev.domain.portfolio import Holding


def tally_of(
    holdings: Mapping[str, Holding],
    working: Sequence[WorkingOrder],
    instruments: Mapping[str, Instrument],
    requests: Sequence[OrderRequest],
) -> Tally:
    """Return the sums before the first request.

    An order that is being cancelled still counts as exposure and as an exit, because it may fill; but
    nothing trades against it any more: cancels leave before everything else.
    """
    tally = Tally()
    for key, holding in holdings.items():
        tally.expose(_asset(key, instruments), abs(holding.cost))
    leaving = {request.client_order_id for request in requests if isinstance(request, CancelOrder)}
    for order in working:
        _count_working(tally, order, _asset(order.instrument, instruments))
        if order.client_order_id not in leaving and order.status is not OrderStatus.CANCELLING:
            _rest(tally, order)
    return tally


def admit(tally: Tally, candidate: Candidate) -> None:
    """Count an approved candidate, so that the next one is judged with it in mind."""
    tally.expose(candidate.instrument.asset, candidate.added_exposure)
    if candidate.facts.loads is not None:
        # Margin is the account's, whichever scope its limit is set for.
        limited, account = candidate.facts.limits.scopes, ScopeKind.ACCOUNT.value
        counted = (scope for scope in candidate.around if scope in limited or scope[0] == account)
        tally.loads.update({scope: candidate.load_after(scope) for scope in counted})
    if candidate.purpose is Purpose.REDUCING and candidate.amended is None:
        tally.reduce(candidate.instrument.key, candidate.side, candidate.quantity)
    if candidate.trigger_price is None:
        order_id = candidate.request.client_order_id
        tally.resting[order_id] = Resting(order_id, candidate.instrument.key, candidate.side, candidate.price)


def _count_working(tally: Tally, order: WorkingOrder, asset: str) -> None:
    if order.purpose is Purpose.OPENING:
        tally.expose(asset, order.remaining.value * order.price.value)
    elif order.purpose is Purpose.REDUCING:
        tally.reduce(order.instrument, order.side, order.remaining)


def _rest(tally: Tally, order: WorkingOrder | PlaceOrder) -> None:
    if order.trigger_price is None:
        resting = Resting(order.client_order_id, order.instrument, order.side, order.price)
        tally.resting[order.client_order_id] = resting


def _asset(key: str, instruments: Mapping[str, Instrument]) -> str:
    """Return the asset of an instrument; its key when the instrument is not among those given."""
    instrument = instruments.get(key)
    return instrument.asset if instrument else key
