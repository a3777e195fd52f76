"""One Hyperliquid account as one signer: the `ExecutionClient` of this venue."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from string import hexdigits
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
    RestingOrder,
    VenueConfig,
)
from apps.exchanges.throttling import Lane, Throttle, Unlimited, lane_of
from apps.exchanges.venues.hyperliquid import actions, answers, parse
from apps.exchanges.venues.hyperliquid.allowance import Allowance
from apps.exchanges.venues.hyperliquid.asset_numbers import AssetNumbers
from apps.exchanges.venues.hyperliquid.config import CAPABILITIES, MAX_BATCH, endpoints
from apps.exchanges.venues.hyperliquid.history import FILLS_PER_PAGE, FUNDINGS_PER_PAGE, read_all
from apps.exchanges.venues.hyperliquid.messages import Outcome
from apps.exchanges.venues.hyperliquid.rest import Rest
from apps.exchanges.venues.hyperliquid.signing import Action, Signer, require_fast_curve
from apps.exchanges.venues.rows import Rows, UnreadableRows
from moondev.domain.clock import Clock, milliseconds
from moondev.domain.decisions import RiskApproved
from moondev.domain.errors import Connectivity, InvalidValue, NotSent, TradingError
from moondev.domain.fills import FillReport
from moondev.domain.orders import CancelOrder, OrderReport, PlaceOrder

R = TypeVar("R")
T = TypeVar("T")

_ADDRESS_DIGITS = 40


class HyperliquidClient:
    """Places, changes and cancels orders, and asks what became of them. See `ExecutionClient`."""

    def __init__(
        self, venue: VenueConfig, credentials: Credentials, clock: Clock, throttle: Throttle | None = None
    ) -> None:
        """Prepare without touching the network. Raises Configuration for bad addresses or keys."""
        require_fast_curve()
        where = endpoints(venue)
        self._venue_code = venue.code
        self._is_mainnet = where.is_mainnet
        self._address = account_address(credentials.account_address)
        self._signer = Signer(credentials.signer_key)
        self._clock = clock
        self._throttle = throttle or Unlimited()
        self._rest = Rest(where.rest_url, self._throttle)
        self._allowance = Allowance(self._rest, self._throttle, self._address, clock)
        self._assets: dict[str, int] = {}
        self._unreadable = UnreadableRows()
        self._numbers = AssetNumbers(self._ask)

    def __repr__(self) -> str:
        return f"HyperliquidClient({self._venue_code}, {self._address}, signer {self._signer.address})"

    @property
    def max_batch(self) -> int:
        """Return how many orders fit one signed request."""
        return MAX_BATCH

    @property
    def signer_address(self) -> str:
        """Return the address of the wallet that signs; nonces belong to it."""
        return self._signer.address

    def place(self, orders: Sequence[RiskApproved[PlaceOrder]], nonce: int, expires_at: datetime) -> list[OrderReport]:
        """Send new orders as one signed request; return one report per order, in order."""
        requests = _batch([order.request for order in orders])
        if not requests:
            return []
        for request in requests:
            CAPABILITIES.require_order(request)
        action = actions.place([(self._asset(order.instrument), order) for order in requests])
        lane = lane_of(order.reduce_only for order in requests)
        answer = self._act(action, nonce, milliseconds(expires_at), items=len(requests), lane=lane)
        return answers.reports(answer, requests, answers.placed, self._clock.now())

    def amend(self, amendments: Sequence[Amendment], nonce: int, expires_at: datetime) -> list[OrderReport]:
        """Replace resting orders as one signed request; return one report per amendment, in order."""
        batch = _batch(amendments)
        if not batch:
            return []
        action = actions.amend([(self._asset(item.approved.request.instrument), item) for item in batch])
        lane = lane_of(item.reduce_only for item in batch)
        answer = self._act(action, nonce, milliseconds(expires_at), items=len(batch), lane=lane)
        if not answers.require_accepted(answer):
            received = self._clock.now()
            return [answers.unsaid(item.approved.request.client_order_id, received) for item in batch]
        return answers.reports(answer, batch, answers.amended, self._clock.now())

    def cancel(self, orders: Sequence[CancelOrder], nonce: int) -> list[OrderReport]:
        """Cancel by client order id as one signed request; return one report per order, in order."""
        symbols = [order.instrument.removeprefix(self._key("")) for order in orders]
        return self._cancel(orders, symbols, actions.cancel, _read_cancel, nonce)

    def cancel_resting(self, orders: Sequence[LiveOrder], nonce: int) -> list[OrderReport]:
        """Cancel by venue order id as one signed request; return one report per order, in order."""
        symbols = [order.symbol if order.venue_order_id else "" for order in orders]
        return self._cancel(orders, symbols, actions.cancel_resting, _read_cancel_resting, nonce)

    def order_status(self, client_order_id: UUID, instrument: str = "") -> OrderReport | None:  # noqa: ARG002  port
        """Return what the venue knows of an order, which it finds by its name alone; None when it never heard of it."""
        request = {"type": "orderStatus", "user": self._address, "oid": actions.cloid(client_order_id)}
        return parse.order_status(self._ask(request), self._clock.now())

    def open_orders(self) -> list[RestingOrder]:
        """Return every live order of the account that can be read, triggers included, whoever placed it."""
        return [order for order in self.live_orders() if isinstance(order, RestingOrder)]

    def live_orders(self) -> list[LiveOrder]:
        """Return every live order of the account, by name only where the rest cannot be read."""
        request = {"type": "frontendOpenOrders", "user": self._address, "dex": ""}
        resting, unread = parse.open_orders(self._ask(request))
        return [*self._noted(resting).read, *unread]

    def take_unreadable(self) -> list[str]:
        """Return, once, which rows could not be read since the last call."""
        return self._unreadable.take()

    def fills(self, since: datetime) -> list[FillReport]:
        """Return every fill at or after `since`, oldest first."""
        return read_all(since, self._fills_from, lambda fill: fill.venue_trade_id, FILLS_PER_PAGE)

    def funding(self, since: datetime) -> list[FundingPayment]:
        """Return every funding payment at or after `since`, oldest first."""
        return read_all(since, self._funding_from, lambda payment: payment.payment_id, FUNDINGS_PER_PAGE)

    def account_snapshot(self) -> AccountSnapshot:
        """Return equity, margin and positions as the venue sees them now."""
        self._allowance.refresh()
        answer = self._ask({"type": "clearinghouseState", "user": self._address, "dex": ""})
        return parse.account_snapshot(answer, self._clock.now())

    def instruments(self) -> list[Listing]:
        """Return what the venue lists now, with its rules, freshly read."""
        listings = parse.listings(self._ask({"type": "meta", "dex": ""}), self._venue_code)
        self._assets = {listing.instrument.key: listing.venue_asset_id for listing in listings}
        return listings

    def set_leverage(self, instrument: str, leverage: int, margin_mode: MarginMode, nonce: int) -> None:
        """Set the account's leverage for one instrument. Raises VenueRejected when it may not be."""
        action = actions.set_leverage(self._asset(instrument), leverage, margin_mode)
        answers.require_accepted(self._act(action, nonce, None))

    def schedule_cancel(self, at: datetime | None, nonce: int) -> None:
        """Arm the cancel of every order, stops too, for `at` (5 s ahead or more); None disarms it."""
        answers.require_accepted(self._act(actions.schedule_cancel(at), nonce, None, lane=Lane.RESERVED))

    def close(self) -> None:
        """Give back the connections."""
        self._rest.close()

    def _ask(self, request: Action) -> object:
        """Ask what settles orders and accounts: these questions may use what is kept for cancels."""
        answer: object = self._rest.info(request, Lane.RESERVED)
        return answer

    def _act(
        self,
        action: Action,
        nonce: int,
        expires_after_ms: int | None,
        *,
        items: int = 1,
        lane: Lane = Lane.ORDINARY,
    ) -> object:
        signature = self._signer.sign_action(action, nonce, expires_after_ms, is_mainnet=self._is_mainnet)
        answer: object = self._rest.exchange(action, nonce, signature, expires_after_ms, items=items, lane=lane)
        if answers.is_over_allowance(answer):
            self._allowance.doubt()
        return answer

    def _cancel(
        self,
        orders: Sequence[R],
        symbols: Sequence[str],
        build: Callable[[Sequence[tuple[int, R]]], Action],
        read: Callable[[R, answers.Item, datetime], OrderReport],
        nonce: int,
    ) -> list[OrderReport]:
        """Cancel what can be named; what cannot be is reported with the reason, and keeps nothing else waiting."""
        names = self._names(symbols)
        named = [(name, order) for name, order in zip(names, _batch(orders), strict=True) if isinstance(name, int)]
        sent: list[OrderReport] = []
        if named:
            answer = self._act(build(named), nonce, None, items=len(named), lane=Lane.RESERVED)
            sent = answers.reports(answer, [order for _, order in named], read, self._clock.now())
        received, told = self._clock.now(), iter(sent)
        return [
            next(told) if isinstance(name, int) else read(order, Outcome(error=name), received)
            for name, order in zip(names, orders, strict=True)
        ]

    def _names(self, symbols: Sequence[str]) -> list[int | str]:
        """Return the number of each symbol, or why there is none. Raises when none was to be had for want of a list."""
        names: list[int | str] = []
        failed: TradingError | None = None
        for symbol in symbols:
            try:
                # A list that could not be read a moment ago is not asked for again for every order.
                number = self._numbers.find(symbol) if failed is None else self._numbers.known(symbol)
            except TradingError as error:
                failed = error
                number = None
            why = CANNOT_BE_NAMED if failed is None else f"not sent: the list to name it by cannot be read: {failed}"
            names.append(why if number is None else number)
        if failed is None or any(isinstance(name, int) for name in names):
            return names
        if isinstance(failed, Connectivity):
            # It was only a question; the cancel it was asked for has not left.
            raise NotSent(f"the venue's list of instruments cannot be read: {failed}") from failed
        raise failed

    def _noted(self, page: Rows[T]) -> Rows[T]:
        self._unreadable.note(page.unreadable)
        return page

    def _fills_from(self, start_ms: int) -> Rows[FillReport]:
        request = {"type": "userFillsByTime", "user": self._address, "startTime": start_ms, "aggregateByTime": False}
        return self._noted(parse.fills(self._ask(request), self._address, self._clock.now()))

    def _funding_from(self, start_ms: int) -> Rows[FundingPayment]:
        request = {"type": "userFunding", "user": self._address, "startTime": start_ms}
        return self._noted(parse.funding(self._ask(request), self._clock.now()))

    def _asset(self, instrument: str) -> int:
        if instrument not in self._assets:
            try:
                self.instruments()
            except Connectivity as error:
                # It was only a question; the order it was asked for has not left.
                raise NotSent(f"the venue's list of instruments cannot be read: {error}") from error
        asset = self._assets.get(instrument)
        if asset is None:
            raise InvalidValue("instrument", instrument, f"an instrument that {self._venue_code} lists")
        return asset

    def _key(self, symbol: str) -> str:
        return f"{self._venue_code}:{symbol}"


def _batch(requests: Sequence[R]) -> list[R]:
    if len(requests) > MAX_BATCH:
        raise InvalidValue("orders", len(requests), f"at most {MAX_BATCH} in one request")
    return list(requests)


def account_address(text: str) -> str:
    """Return an account address in lower case. Raises InvalidValue when it is not one."""
    address = text.lower()
    prefix, digits = address[:2], address[2:]
    if prefix != "0x" or len(digits) != _ADDRESS_DIGITS or any(digit not in hexdigits for digit in digits):
        raise InvalidValue("account_address", text, f"0x and {_ADDRESS_DIGITS} hex digits")
    return address


def _read_cancel(order: CancelOrder, item: answers.Item, received: datetime) -> OrderReport:
    return answers.cancelled(order.client_order_id, None, item, received)


def _read_cancel_resting(order: LiveOrder, item: answers.Item, received: datetime) -> OrderReport:
    # A report has to name its order; of one whose number could not be read there is nothing else to say.
    return answers.cancelled(order.client_order_id, order.venue_order_id or "?", item, received)
