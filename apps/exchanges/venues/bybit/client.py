"""One Bybit account as one API key: the `ExecutionClient` of this venue."""

# ruff: noqa: ARG002 - nonces and instruments are words of the port that this venue does not need

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from apps.exchanges.ports import (
    CANNOT_BE_NAMED,
    AccountSnapshot,
    Amendment,
    Credentials,
    FundingPayment,
    Listing,
    LiveOrder,
    MarginMode,
    ReportSource,
    RestingOrder,
    VenueConfig,
)
from apps.exchanges.throttling import Lane, Throttle, lane_of
from apps.exchanges.venues.bybit import actions, answers, parse
from apps.exchanges.venues.bybit.actions import Body
from apps.exchanges.venues.bybit.answers import Taken
from apps.exchanges.venues.bybit.config import CAPABILITIES, CATEGORY, MAX_BATCH, endpoints
from apps.exchanges.venues.bybit.market_data import BybitMarketData
from apps.exchanges.venues.bybit.questions import Questions
from apps.exchanges.venues.bybit.rest import Rest
from apps.exchanges.venues.ccxt_generic.credentials import read_api_key
from apps.exchanges.venues.rows import UnreadableRows
from moondev.domain.clock import Clock
from moondev.domain.decisions import RiskApproved
from moondev.domain.errors import Connectivity, InvalidValue, NotSent, RateLimited, TradingError, VenueRejected
from moondev.domain.fills import FillReport
from moondev.domain.orders import CancelOrder, OrderReport, PlaceOrder

R = TypeVar("R")

# The key, the signature, the permissions and the age of a request: refused before any order in it is looked at.
# https://bybit-exchange.github.io/docs/v5/error
_WHOLE_REQUEST = frozenset(
    ("10002", "10003", "10004", "10005", "10007", "10009", "10010", "10024", "10027", "10028", "10029", "33004")
)
_LEVERAGE_UNCHANGED = "110043"


class BybitClient:
    """Places, changes and cancels orders, and asks what became of them. See `ExecutionClient`."""

    def __init__(self, venue: VenueConfig, credentials: Credentials, clock: Clock, throttle: Throttle) -> None:
        """Prepare without touching the network. Raises Configuration for bad addresses or keys."""
        where, key = endpoints(venue), read_api_key(credentials.signer_key)
        self._venue_code, self._account = venue.code, credentials.account_address
        self._key_name, self._clock = key.key, clock
        self._rest = Rest(where.rest_url, clock, throttle, key)
        self._listed = BybitMarketData(venue, clock, throttle)
        self._symbols: dict[str, str] = {}
        self._unreadable = UnreadableRows()
        self._questions = Questions(self._rest, clock, self._unreadable)

    def __repr__(self) -> str:
        return f"BybitClient({self._venue_code}, {self._account}, key {self._key_name})"

    @property
    def max_batch(self) -> int:
        """Return how many orders fit one signed request."""
        return MAX_BATCH

    @property
    def signer_address(self) -> str:
        """Return the public name of the API key."""
        return self._key_name

    def place(self, orders: Sequence[RiskApproved[PlaceOrder]], nonce: int, expires_at: datetime) -> list[OrderReport]:
        """Send new orders as one signed request; return one report per order, in order.

        The venue only acknowledges, so it is asked once what it made of them; what it does not show yet has status
        None. `nonce` is not used: this venue goes by the time of a request.
        """
        requests = _batch([order.request for order in orders])
        if not requests:
            return []
        for request in requests:
            CAPABILITIES.require_native(request.order_type, request.time_in_force)
        bodies = [actions.place(request, self._symbol(request.instrument)) for request in requests]
        lane = lane_of(request.reduce_only for request in requests)
        taken = self._sent("order/create", bodies, lane, expires_at)
        names = [request.client_order_id for request in requests]
        seen = self._look_up([name for name, one in zip(names, taken, strict=True) if one.code == 0], lane)
        received = self._clock.now()
        return [
            answers.placed(name, one, seen.get(str(name)), received) for name, one in zip(names, taken, strict=True)
        ]

    def amend(self, amendments: Sequence[Amendment], nonce: int, expires_at: datetime) -> list[OrderReport]:
        """Change resting orders in place as one signed request; return one report per amendment, in order.

        As after placing, the venue is asked what it made of them.
        """
        items = _batch(amendments)
        if not items:
            return []
        bodies = [actions.amend(item, self._symbol(item.approved.request.instrument)) for item in items]
        lane = lane_of(item.reduce_only for item in items)
        taken = self._sent("order/amend", bodies, lane, expires_at)
        names = [item.approved.request.client_order_id for item in items]
        seen = self._look_up(names, lane)
        received = self._clock.now()
        return [
            answers.amended(item, one, seen.get(str(name)), received)
            for item, name, one in zip(items, names, taken, strict=True)
        ]

    def cancel(self, orders: Sequence[CancelOrder], nonce: int) -> list[OrderReport]:
        """Cancel by client order id as one signed request; return one report per order, in order."""

        def body(order: CancelOrder) -> Body | None:
            symbol = self._named_symbol(order.instrument)
            return actions.cancel(order, symbol) if symbol else None

        return self._cancel(orders, body, lambda order: (order.client_order_id, None))

    def cancel_resting(self, orders: Sequence[LiveOrder], nonce: int) -> list[OrderReport]:
        """Cancel by venue order id as one signed request; return one report per order, in order."""
        # A report has to name its order; of one whose id could not be read there is nothing else to say.
        return self._cancel(
            orders, actions.cancel_resting, lambda order: (order.client_order_id, order.venue_order_id or "?")
        )

    def order_status(self, client_order_id: UUID, instrument: str = "") -> OrderReport | None:
        """Return what the venue knows of an order; None when it never heard of it."""
        return self._questions.order_status(client_order_id)

    def open_orders(self) -> list[RestingOrder]:
        """Return every live order of the account that can be read, triggers included, whoever placed it."""
        return [order for order in self.live_orders() if isinstance(order, RestingOrder)]

    def live_orders(self) -> list[LiveOrder]:
        """Return every live order of the account, those that cannot be read by name only."""
        found, unread = parse.open_orders(self._questions.open_rows())
        self._unreadable.note(found.unreadable)
        return [*found.read, *unread]

    def take_unreadable(self) -> list[str]:
        """Return, once, which rows could not be read since the last call."""
        return self._unreadable.take()

    def fills(self, since: datetime) -> list[FillReport]:
        """Return every fill of the account at or after `since`, oldest first, all pages."""
        return self._questions.fills(since)

    def funding(self, since: datetime) -> list[FundingPayment]:
        """Return every funding payment at or after `since`, oldest first, all pages."""
        return self._questions.funding(since)

    def account_snapshot(self) -> AccountSnapshot:
        """Return equity, margin and positions as the venue sees them now."""
        return self._questions.account()

    def instruments(self) -> list[Listing]:
        """Return what the venue lists now, with its rules, freshly read."""
        listings = self._listed.instruments()
        self._symbols = {listing.instrument.key: listing.instrument.symbol for listing in listings}
        return listings

    def set_leverage(self, instrument: str, leverage: int, margin_mode: MarginMode, nonce: int) -> None:
        """Set the account's leverage for one instrument (key).

        Raises InvalidValue for isolated margin: at this venue the mode is the whole account's, and changing it would
        change positions nobody asked about.
        """
        if margin_mode is not MarginMode.CROSS:
            raise InvalidValue("margin_mode", margin_mode.value, "cross: at Bybit the mode is the whole account's")
        body = {
            "category": CATEGORY,
            "symbol": self._symbol(instrument),
            "buyLeverage": str(leverage),
            "sellLeverage": str(leverage),
        }
        try:
            self._rest.order("position/set-leverage", body, Lane.ORDINARY)
        except VenueRejected as refusal:
            if refusal.code != _LEVERAGE_UNCHANGED:
                raise

    def schedule_cancel(self, at: datetime | None, nonce: int) -> None:
        """Refuse: the venue has no timer.

        Its cancel on silence is bound to the private connection and set up once per account, for institutional
        clients, with a window of 3 to 300 seconds. https://bybit-exchange.github.io/docs/v5/order/dcp
        """
        raise InvalidValue("silence_guard", "a timer", "none here: Bybit's is bound to the private connection")

    def close(self) -> None:
        """Give back the connections."""
        self._rest.close()
        self._listed.close()

    def _sent(self, path: str, bodies: list[Body], lane: Lane, expires_at: datetime | None) -> list[Taken]:
        """Send one request about all of `bodies` and return how each came out."""
        if len(bodies) > 1:
            text = self._rest.order(
                f"{path}-batch", actions.batch(bodies), lane, orders=len(bodies), expires_at=expires_at
            )
            return answers.batch(text, len(bodies))
        try:
            text = self._rest.order(path, bodies[0], lane, expires_at=expires_at)
        except VenueRejected as refusal:
            if refusal.code in _WHOLE_REQUEST:
                raise
            return answers.refused(refusal)
        return answers.single(text)

    def _look_up(self, names: Sequence[UUID], lane: Lane) -> dict[str, parse.Seen]:
        """Return what the venue shows of orders it has just acknowledged; a failed question leaves them unseen."""
        try:
            return self._questions.look_up(names, lane)
        except (Connectivity, RateLimited, VenueRejected):
            return {}

    def _cancel(
        self,
        orders: Sequence[R],
        body_of: Callable[[R], Body | None],
        names_of: Callable[[R], tuple[UUID | None, str | None]],
    ) -> list[OrderReport]:
        """Cancel what can be named; what cannot be is reported with the reason, and keeps nothing else waiting."""
        bodies = [body_of(order) for order in _batch(orders)]
        named = [body for body in bodies if body is not None]
        told = iter(self._sent("order/cancel", named, Lane.RESERVED, None) if named else [])
        received = self._clock.now()
        reports = []
        for order, body in zip(orders, bodies, strict=True):
            name, venue_id = names_of(order)
            if body is None:
                reports.append(_unnamed(name, venue_id, received))
            else:
                reports.append(answers.cancelled(name, venue_id, next(told), received))
        return reports

    def _symbol(self, instrument: str) -> str:
        if instrument not in self._symbols:
            try:
                self.instruments()
            except RateLimited:
                raise
            except TradingError as error:
                # It was only a question; the order it was asked for has not left.
                raise NotSent(f"the venue's list of instruments cannot be read: {error}") from error
        symbol = self._symbols.get(instrument)
        if symbol is None:
            raise InvalidValue("instrument", instrument, f"an instrument that {self._venue_code} lists")
        return symbol

    def _named_symbol(self, instrument: str) -> str:
        """Return the symbol in a key, without asking anybody; empty for a key of another venue."""
        code, _, symbol = instrument.partition(":")
        return symbol if code == self._venue_code else ""


def _unnamed(name: UUID | None, venue_id: str | None, received: datetime) -> OrderReport:
    return OrderReport(ReportSource.SEND, name, venue_id, None, None, received, reason=CANNOT_BE_NAMED)


def _batch(requests: Sequence[R]) -> list[R]:
    if len(requests) > MAX_BATCH:
        raise InvalidValue("orders", len(requests), f"at most {MAX_BATCH} in one request")
    return list(requests)
