"""Taking orders out of the market, whichever of the venue's two services holds them.

A cancel names an order, not its kind, and the venue keeps ordinary and conditional orders apart: who is not found at
one door is asked for at the other. https://developers.binance.com/docs/derivatives/usds-margined-futures/trade/rest-api
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from apps.exchanges.ports import CANNOT_BE_NAMED, LiveOrder
from apps.exchanges.throttling import Lane
from apps.exchanges.venues.binance import answers, parse
from apps.exchanges.venues.binance.answers import UNKNOWN_ORDER
from apps.exchanges.venues.binance.config import MAX_CANCELS
from apps.exchanges.venues.binance.in_turn import Send, in_turn
from apps.exchanges.venues.binance.known import KnownOrders
from apps.exchanges.venues.binance.messages import ErrorBody, OrderRow
from apps.exchanges.venues.binance.parse import ALGO
from apps.exchanges.venues.binance.rest import Calls, Rest
from moondev.domain.clock import Clock
from moondev.domain.errors import TradingError, VenueRejected
from moondev.domain.orders import OrderReport


@dataclass(frozen=True, slots=True)
class Target:
    """An order to be cancelled: by our name, or by the venue's id where we gave none."""

    symbol: str
    name: UUID | None
    order_id: str

    @property
    def by_name(self) -> bool:
        """Return whether it is called by our name."""
        return not self.order_id and self.name is not None

    @property
    def nameless(self) -> bool:
        """Return whether no request can name it."""
        return not self.symbol or not (self.order_id or self.name)


def target_of(order: LiveOrder) -> Target:
    """Return a live order as something to be cancelled by the venue's id."""
    return Target(order.symbol, None if order.venue_order_id else order.client_order_id, order.venue_order_id)


class Canceller:
    """Cancels, each request once, in the reserved lane."""

    def __init__(self, rest: Rest, clock: Clock, known: KnownOrders) -> None:
        """Ask through `rest`; `known` tells where an order is likely to be."""
        self._rest, self._clock, self._known = rest, clock, known

    def cancel(self, targets: Sequence[Target]) -> list[OrderReport]:
        """Cancel; return one report per target, in order. Raises what the first request raised."""
        groups: dict[tuple[str, bool], list[int]] = {}
        named = {}
        for place, target in enumerate(targets):
            if target.nameless:
                # A report has to name its order; of one of which nothing could be read there is nothing to say.
                named[place] = answers.unsettled(target.name, target.order_id or "?", CANNOT_BE_NAMED, self._now())
            else:
                groups.setdefault((target.symbol, target.by_name), []).append(place)
        sends = [
            Send(places[start : start + MAX_CANCELS], self._group(targets, places[start : start + MAX_CANCELS]))
            for places in groups.values()
            for start in range(0, len(places), MAX_CANCELS)
        ]

        def untold(place: int, error: TradingError) -> OrderReport:
            target = targets[place]
            return answers.unsettled(target.name, target.order_id or None, str(error), self._now())

        told = iter(in_turn(sends, untold))
        return [named[place] if place in named else next(told) for place in range(len(targets))]

    def _group(self, targets: Sequence[Target], places: Sequence[int]) -> _Group:
        return _Group(self, [targets[place] for place in places])

    def of_one_symbol(self, targets: Sequence[Target]) -> list[OrderReport]:
        """Cancel orders of one symbol that are all called by the same kind of name."""
        reports: dict[Target, OrderReport] = {}
        ordinary = [target for target in targets if not self._waits(target)]
        for target, answer in zip(ordinary, self._ordinary(ordinary) if ordinary else (), strict=True):
            if not self._may_wait(target, answer):
                reports[target] = self._told(target, answer)
        for target in targets:
            if target in reports:
                continue
            try:
                reports[target] = self._released(target) if self._waits(target) else self._conditional(target)
            except TradingError as error:
                if not reports:
                    raise
                # Others are gone already: that this request failed must not read as if nothing had happened.
                reports[target] = answers.unsettled(target.name, target.order_id or None, str(error), self._now())
        return [reports[target] for target in targets]

    def _may_wait(self, target: Target, answer: OrderRow | ErrorBody) -> bool:
        """Return whether an order that is no ordinary one may be a conditional one."""
        missing = isinstance(answer, ErrorBody) and answer.code in UNKNOWN_ORDER
        return missing and target.by_name and self._known.is_conditional(target.name) is not False

    def _released(self, target: Target) -> OrderReport:
        """Cancel a conditional order, or the ordinary one it has become."""
        report = self._conditional(target)
        if report.status is not None or not target.by_name:
            return report
        (answer,) = self._ordinary([target])
        return self._told(target, answer)

    def _conditional(self, target: Target) -> OrderReport:
        """Cancel at the algo service; a refusal says that it holds no such order any more."""
        named: dict[str, object] = {"clientAlgoId": str(target.name)}
        if not target.by_name:
            named = {"algoId": target.order_id.removeprefix(ALGO)}
        try:
            self._rest.ask(Calls.CANCEL_CONDITIONAL, {"symbol": target.symbol, **named}, Lane.RESERVED)
        except VenueRejected as error:
            return self._told(target, answers.of_an_order(error))
        return answers.cancelled_conditional(target.name, target.order_id or None, self._now())

    def _ordinary(self, targets: Sequence[Target]) -> list[OrderRow | ErrorBody]:
        symbol = targets[0].symbol
        names = [str(target.name) if target.by_name else target.order_id for target in targets]
        if len(targets) == 1:
            key = "origClientOrderId" if targets[0].by_name else "orderId"
            try:
                text = self._rest.ask(Calls.CANCEL, {"symbol": symbol, key: names[0]}, Lane.RESERVED)
            except VenueRejected as error:
                return [answers.of_an_order(error)]
            return [parse.decoded("cancel", text, OrderRow)]
        # ccxt knows these two in small letters only.
        key = "origclientorderidlist" if targets[0].by_name else "orderidlist"
        try:
            text = self._rest.ask(Calls.CANCEL_MANY, {"symbol": symbol, key: names}, Lane.RESERVED)
        except VenueRejected as error:
            return [answers.of_an_order(error)] * len(targets)
        return parse.answers(text, len(targets))

    def _told(self, target: Target, answer: OrderRow | ErrorBody) -> OrderReport:
        return answers.cancelled(target.name, target.order_id or None, answer, self._now())

    def _waits(self, target: Target) -> bool:
        if target.by_name:
            return self._known.is_conditional(target.name) is True
        return target.order_id.startswith(ALGO)

    def _now(self) -> datetime:
        return self._clock.now()


@dataclass(frozen=True, slots=True)
class _Group:
    """The cancels of one symbol, as one send."""

    canceller: Canceller
    targets: Sequence[Target]

    def __call__(self) -> list[OrderReport]:
        return self.canceller.of_one_symbol(self.targets)
