"""What a spot account is told, over the sockets that asked for it: orders, balances, deposits.

https://developers.binance.com/docs/binance-spot-api-docs/user-data-stream
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

import orjson

from apps.exchanges.mock.engine.api import Fill, InstrumentSpec, OrderSnapshot, OrderStatus
from apps.exchanges.mock.engine.events import Event, OrderUpdated, UserFill
from apps.exchanges.mock.wire.binance.spot import views
from apps.exchanges.mock.wire.binance.spot.venue import SpotVenue
from apps.exchanges.mock.wire.binance.words import money, on_record, status
from apps.exchanges.mock.wire.line import Line
from apps.exchanges.mock.wire.port import Json


class SpotPrivate:
    """The user data subscriptions of all sockets: each has a number within its socket."""

    def __init__(self, venue: SpotVenue) -> None:
        """Listen to the engine of `venue`."""
        self._venue = venue
        self._lines: dict[str, dict[Line, int]] = {}
        self._numbers: dict[Line, int] = {}
        self._told: set[int] = set()
        venue.exchange.subscribe(self._on_event)

    def join(self, line: Line, account: str) -> int:
        """Tell `line` of an account from now on; return the subscription's number."""
        number = self._numbers.get(line, 0)
        self._numbers[line] = number + 1
        self._lines.setdefault(account, {})[line] = number
        return number

    def leave(self, line: Line, number: int | None = None) -> None:
        """End one of a socket's subscriptions, or all of them."""
        for lines in self._lines.values():
            if line in lines and number in (None, lines[line]):
                del lines[line]

    def forget(self, line: Line) -> None:
        """Drop a client that is gone."""
        self.leave(line)
        self._numbers.pop(line, None)

    def moved(self, account: str, asset: str, amount: Decimal) -> None:
        """Tell of money that came in or went out otherwise than by trading."""
        now = self._venue.now_ms()
        self._tell(account, {"e": "balanceUpdate", "E": now, "a": asset, "d": money(amount), "T": now})
        self._balances(account, [asset])

    def _on_event(self, event: Event) -> None:
        if isinstance(event, OrderUpdated) and event.order.coin in self._venue.specs:
            self._on_order(event.address, event.order, event.time_ms)
        elif isinstance(event, UserFill) and event.fill.coin in self._venue.specs:
            self._on_fill(event.address, event.fill)

    def _on_order(self, account: str, order: OrderSnapshot, time_ms: int) -> None:
        if not on_record(order):
            return
        self._introduce(account, order)
        if order.status in (OrderStatus.CANCELED, OrderStatus.REJECTED):
            execution = "CANCELED" if status(order) == "CANCELED" else "EXPIRED"
            self._report(account, order, execution, None, time_ms)
        self._balances(account, _assets(self._venue.specs[order.coin]))

    def _on_fill(self, account: str, fill: Fill) -> None:
        order = self._venue.exchange.order_by_oid(account, fill.oid)
        if order is None:
            return
        self._introduce(account, order)
        self._report(account, order, "TRADE", fill, fill.time_ms)
        self._balances(account, _assets(self._venue.specs[fill.coin]))

    def _introduce(self, account: str, order: OrderSnapshot) -> None:
        """Tell of an order nobody has heard of."""
        if order.oid not in self._told:
            self._told.add(order.oid)
            self._report(account, order, "NEW", None, order.placed_ms)

    def _report(self, account: str, order: OrderSnapshot, execution: str, fill: Fill | None, time_ms: int) -> None:
        if self._lines.get(account):
            kind, sums = self._venue.kinds.of(account, order.cloid), self._venue.sums.of(order.oid)
            report = views.report(order, kind, sums, execution, fill, time_ms)
            self._tell(account, {"e": report["e"], "E": self._venue.now_ms(), **report})

    def _balances(self, account: str, assets: Iterable[str]) -> None:
        if not self._lines.get(account):
            return
        held = [self._venue.exchange.balance(account, asset) for asset in assets]
        rows = [{"a": one.asset, "f": money(one.free), "l": money(one.held)} for one in held]
        now = self._venue.now_ms()
        self._tell(account, {"e": "outboundAccountPosition", "E": now, "u": now, "B": rows})

    def _tell(self, account: str, event: Json) -> None:
        for line, number in self._lines.get(account, {}).items():
            line.send(str(event["e"]), orjson.dumps({"subscriptionId": number, "event": event}))


def _assets(spec: InstrumentSpec) -> tuple[str, str]:
    return spec.base or "", spec.quote
