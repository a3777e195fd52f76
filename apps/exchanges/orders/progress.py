"""How far an order has got: pure arithmetic of what the venue said and what filled, in whatever order it was heard.

Three facts decide everything: the sum of our fills, the venue's own cumulative figure, and the end the venue named.
An order takes on an end only when our fills have caught up with the venue's figure; until then it counts as live, so
the planner sees a trade either as position or as order, never as neither.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from decimal import Decimal

from apps.exchanges.ports import ReportSource
from moondev.domain.fills import FillReport
from moondev.domain.orders import FINAL, NON_FINAL, OrderReport, OrderStatus, TimeInForce, may_follow
from moondev.domain.values import ZERO

_S = OrderStatus
_UNSENT = frozenset({_S.CREATED, _S.APPROVED, _S.HELD, _S.REFUSED})
_ENDS = frozenset({_S.FILLED, _S.CANCELLED, _S.EXPIRED, _S.REJECTED})
_LIVE = frozenset({_S.OPEN, _S.PARTIALLY_FILLED})
# While an amend is under way the venue may report the end of the order it replaces.
_END_OF_REPLACED = frozenset({_S.CANCELLED, _S.EXPIRED})


@dataclass(frozen=True, slots=True)
class Progress:
    """The part of an order row that reports and fills change.

    `ending` is the end the venue named, None when it named none; `earlier` what was filled under venue order ids that
    an amend replaced, in `aliases`.
    """

    status: OrderStatus
    time_in_force: TimeInForce
    quantity: Decimal
    price: Decimal
    filled: Decimal
    notional: Decimal
    venue_filled: Decimal
    ending: OrderStatus | None
    venue_order_id: str
    earlier: Decimal
    reserved: Decimal
    triggered: bool
    aliases: AbstractSet[str] = frozenset()

    @property
    def final(self) -> bool:
        """Return whether nothing more is expected of the order."""
        return self.status in FINAL

    @property
    def missing(self) -> Decimal:
        """Return how much the venue says has filled beyond the fills we have."""
        return max(self.venue_filled - self.filled, ZERO)

    @property
    def overfilled(self) -> bool:
        """Return whether more has filled than was ordered."""
        return self.filled > self.quantity


def after_fill(progress: Progress, fill: FillReport) -> Progress:
    """Return the progress after one new fill, whatever the status; the caller has seen to it that it is new."""
    quantity = fill.quantity.value
    of_replaced = fill.venue_order_id in progress.aliases
    return replace(
        progress,
        filled=progress.filled + quantity,
        notional=progress.notional + quantity * fill.price.value,
        reserved=max(progress.reserved - quantity * progress.price, ZERO),
        # The order that replaced this one was sized without knowing of this fill.
        quantity=progress.quantity + quantity if of_replaced else progress.quantity,
        earlier=progress.earlier + quantity if of_replaced else progress.earlier,
    )


def after_report(progress: Progress, report: OrderReport) -> Progress:
    """Return the progress after the venue's (or the sender's) word; what is stale or impossible changes nothing."""
    if progress.status in _UNSENT or _about_another_id(progress, report):
        return progress
    if report.status is _S.UNKNOWN:
        return replace(progress, status=_S.UNKNOWN) if progress.status is _S.SENDING else progress
    if _ends_the_replaced(progress, report):
        return progress
    heard = replace(
        progress,
        venue_order_id=progress.venue_order_id or report.venue_order_id or "",
        triggered=progress.triggered or report.triggered,
        venue_filled=max(progress.venue_filled, _venue_figure(progress, report)),
    )
    if report.status in _ENDS:
        heard = replace(heard, ending=_stronger_end(heard, report.status))
    elif report.status in _LIVE and heard.status in {_S.SENDING, _S.UNKNOWN}:
        heard = replace(heard, status=_S.OPEN)
    return heard


def ends_unheard(report: OrderReport) -> bool:
    """Return whether a report ends an order that may have filled without saying how much had filled by then."""
    return report.status is _S.CANCELLED and report.filled_quantity is None


def after_amend(
    progress: Progress, remaining: Decimal, price: Decimal, new_id: str, filled_on_new: Decimal
) -> Progress:
    """Return the progress after an accepted amend to `remaining` at `price`.

    `new_id` is the venue's id from now on ("" when it kept the old one); `filled_on_new` what our fills under that id
    add up to already. The reservation never grows: a higher price was checked by the review, not reserved again.
    """
    renamed = bool(new_id) and new_id != progress.venue_order_id
    earlier = progress.filled - filled_on_new if renamed else progress.filled
    live = _S.PARTIALLY_FILLED if progress.filled else _S.OPEN
    return replace(
        progress,
        status=live if progress.status is _S.AMENDING else progress.status,
        quantity=earlier + remaining,
        price=price,
        earlier=earlier if renamed else progress.earlier,
        venue_filled=progress.filled if renamed else progress.venue_filled,
        venue_order_id=new_id or progress.venue_order_id,
        aliases=progress.aliases | {progress.venue_order_id} if renamed else progress.aliases,
        reserved=min(progress.reserved, max(earlier + remaining - progress.filled, ZERO) * price),
    )


def after_refused_change(progress: Progress) -> Progress:
    """Return the progress after a cancel or amend came to nothing: the order rests as before."""
    if progress.status not in {_S.CANCELLING, _S.AMENDING}:
        return progress
    return replace(progress, status=_S.PARTIALLY_FILLED if progress.filled else _S.OPEN)


def caught_up(progress: Progress) -> Progress:
    """Return the progress when the venue was asked for all fills and there are no more than we have."""
    return replace(progress, venue_filled=min(progress.venue_filled, progress.filled))


def settled(progress: Progress) -> Progress:
    """Return the progress with the status that the facts call for, as far as the table of life allows."""
    status = _called_for(progress)
    if status is not progress.status and not may_follow(progress.status, status):
        status = progress.status
    return replace(progress, status=status, reserved=ZERO if status in FINAL else progress.reserved)


def _called_for(progress: Progress) -> OrderStatus:
    if progress.status in _UNSENT:
        return progress.status
    if progress.filled >= progress.quantity:
        return _S.FILLED
    if progress.ending is not None and progress.missing == 0:
        return _possible_end(progress, progress.ending)
    if progress.status in NON_FINAL and (progress.filled or progress.ending):
        return _live_status(progress)
    return progress.status


def _live_status(progress: Progress) -> OrderStatus:
    if progress.status in {_S.CANCELLING, _S.AMENDING}:
        return progress.status
    return _S.PARTIALLY_FILLED if progress.filled else _S.OPEN


def _possible_end(progress: Progress, ending: OrderStatus) -> OrderStatus:
    """Return the end as the table knows it: an order that rested was not rejected, it was taken out of the market."""
    if ending is _S.REJECTED and not may_follow(progress.status, _S.REJECTED):
        return _S.CANCELLED
    return ending


def _stronger_end(progress: Progress, said: OrderStatus) -> OrderStatus:
    """Return the end that stands when the venue named several, so that the order of hearing does not matter."""
    if said is _S.FILLED and progress.venue_filled < progress.quantity and progress.time_in_force is TimeInForce.IOC:
        said = _S.EXPIRED
    if progress.ending is _S.FILLED or said is _S.FILLED:
        return _S.FILLED
    return progress.ending or said


def _venue_figure(progress: Progress, report: OrderReport) -> Decimal:
    if report.filled_quantity is not None:
        return progress.earlier + report.filled_quantity.value
    return progress.quantity if report.status is _S.FILLED else ZERO


def _about_another_id(progress: Progress, report: OrderReport) -> bool:
    return bool(report.venue_order_id and progress.venue_order_id and report.venue_order_id != progress.venue_order_id)


def _ends_the_replaced(progress: Progress, report: OrderReport) -> bool:
    return progress.status is _S.AMENDING and report.source == ReportSource.STREAM and report.status in _END_OF_REPLACED
