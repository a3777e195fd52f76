"""What Phemex tells the owner of an account: orders, fills, positions, funding."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from apps.exchanges.mock.engine.api import Fill, OrderSnapshot, PositionState
from apps.exchanges.mock.wire.order_sums import Sums
from apps.exchanges.mock.wire.phemex import views_account, views_orders
from apps.exchanges.mock.wire.phemex.endpoints import Endpoint, EndpointKey
from apps.exchanges.mock.wire.phemex.facts import LIQUIDATION, OrderFacts
from apps.exchanges.mock.wire.phemex.fields import coin_of, optional_text, text, whole
from apps.exchanges.mock.wire.phemex.limits import Group
from apps.exchanges.mock.wire.phemex.refusals import ARGUMENTS, NO_ORDER, NO_ORDER_ID, RefusedError
from apps.exchanges.mock.wire.phemex.venue import Venue
from apps.exchanges.mock.wire.phemex.words import QUOTE, STATUS_CODES, order_id, status_word, symbol_of
from apps.exchanges.mock.wire.port import Json

T = TypeVar("T")
View = Callable[[OrderSnapshot, OrderFacts, Sums], Json]
_TWO_DAYS_MS = 2 * 86_400_000
_PAGE, _LARGEST_PAGE = 20, 200


class AccountReads:
    """The private endpoints that only tell; each takes an account and the query and returns the `data`."""

    def __init__(self, venue: Venue) -> None:
        """Answer about accounts of `venue`."""
        self._venue, self._exchange = venue, venue.exchange
        contract, others, spot = Group.CONTRACT, Group.OTHERS, Group.SPOT
        orders, data = "/exchange/order/v2", "/api-data/g-futures"
        self.endpoints: Mapping[EndpointKey, Endpoint] = {
            ("GET", "/g-accounts/accountPositions"): Endpoint("accountPositions", contract, 1, self._account),
            ("GET", "/g-accounts/positions"): Endpoint("positions", contract, 25, self._account_with_profit),
            ("GET", "/g-orders/activeList"): Endpoint("activeList", contract, 1, self._active),
            ("GET", f"{orders}/orderList"): Endpoint("orderList", others, 1, self._coded_orders),
            ("GET", f"{orders}/tradingList"): Endpoint("tradingList", others, 1, self._coded_trades),
            ("GET", f"{data}/orders"): Endpoint("orders", others, 1, self._orders),
            ("GET", f"{data}/orders/by-order-id"): Endpoint("by-order-id", others, 1, self._by_id),
            ("GET", f"{data}/trades"): Endpoint("trades", others, 1, self._trades),
            ("GET", f"{data}/funding-fees"): Endpoint("funding-fees", others, 1, self._funding),
            ("GET", "/spot/wallets"): Endpoint("wallets", spot, 1, self._wallets),
        }

    def account_row(self, account: str) -> Json:
        """Return the account's money."""
        state = self._exchange.account_state(account)
        return views_account.account(state, self._venue.user_id(account), self._venue.account_id(account))

    def position_row(self, account: str, coin: str, states: Mapping[str, PositionState]) -> Json:
        """Return the position in one coin, flat or not."""
        last = next(iter(self._exchange.funding_history(coin, 0, None)[-1:]), None)
        leverage, mark = self._exchange.leverage(account, coin), self._exchange.mark(coin)
        row = views_account.position(
            self._venue.specs[coin], states.get(coin), leverage, mark, 0 if last is None else last.time_ms
        )
        return {"accountID": self._venue.account_id(account), "userID": self._venue.user_id(account), **row}

    def states(self, account: str) -> dict[str, PositionState]:
        """Return the open positions by coin."""
        return {entry.coin: entry for entry in self._exchange.account_state(account).positions}

    def order_row(self, order: OrderSnapshot, view: View = views_orders.order) -> Json:
        """Return an order in the venue's words."""
        return view(order, self._venue.facts.of(order.oid), self._venue.sums.of(order.oid))

    def facts_of(self, fill: Fill) -> OrderFacts:
        """Return what is known of the order behind a fill."""
        return LIQUIDATION if fill.liquidation else self._venue.facts.of(fill.oid)

    def _account(self, account: str, query: Json) -> Any:  # noqa: ANN401 - any JSON
        _require_money(query)
        states, wanted = self.states(account), optional_text(query, "symbol")
        coins = {**dict.fromkeys(self._venue.touched(account)), **dict.fromkeys(states)}
        rows = [self.position_row(account, coin, states) for coin in coins if wanted in ("", symbol_of(coin))]
        return {"account": self.account_row(account), "positions": rows}

    def _account_with_profit(self, account: str, query: Json) -> Any:  # noqa: ANN401 - any JSON
        told, states = self._account(account, query), self.states(account)
        by_symbol = {symbol_of(coin): state for coin, state in states.items()}
        rows = [views_account.with_profit(row, by_symbol.get(row["symbol"])) for row in told["positions"]]
        return {**told, "positions": rows}

    def _active(self, account: str, query: Json) -> Any:  # noqa: ANN401 - any JSON
        """Live orders of one symbol. With none there is no empty list but an error."""
        coin = coin_of(query, self._venue.coins)
        live = [order for order in self._exchange.open_orders(account) if order.coin == coin]
        if not live:
            raise RefusedError(NO_ORDER)
        return {"rows": [self.order_row(order) for order in live[::-1]], "nextPageArg": ""}

    def _all_orders(self, account: str) -> list[OrderSnapshot]:
        """Return live and ended orders, newest first."""
        found = [*self._exchange.open_orders(account), *self._exchange.order_history(account)]
        return sorted(found, key=lambda order: order.oid, reverse=True)

    def _coded_orders(self, account: str, query: Json) -> Any:  # noqa: ANN401 - any JSON
        _require_money(query)
        symbol, status = optional_text(query, "symbol"), optional_text(query, "ordStatus")
        codes = {int(code) for code in status.split(",") if code.isdecimal()}
        first, last = whole(query, "start", 0), whole(query, "end", self._venue.now_ms())
        found = [
            order
            for order in self._all_orders(account)
            if symbol in ("", symbol_of(order.coin))
            and (not codes or STATUS_CODES[status_word(order)] in codes)
            and first <= order.placed_ms <= last
        ]
        rows = [self.order_row(order, views_orders.coded) for order in _page(query, found)]
        return {"total": len(found), "rows": rows}

    def _orders(self, account: str, query: Json) -> Any:  # noqa: ANN401 - any JSON
        symbols = self._symbols(query)
        first, last = self._span(query)
        found = [
            order
            for order in self._all_orders(account)
            if (not symbols or symbol_of(order.coin) in symbols) and first <= order.placed_ms <= last
        ]
        return [self.order_row(order, views_orders.history) for order in _page(query, found)]

    def _by_id(self, account: str, query: Json) -> Any:  # noqa: ANN401 - any JSON
        """Orders by either id, live or ended. One never heard of is not among them."""
        coin = coin_of(query, self._venue.coins)
        named, client = optional_text(query, "orderID"), optional_text(query, "clOrdID")
        if not named and not client:
            raise RefusedError(NO_ORDER_ID)
        found = [
            order
            for order in self._all_orders(account)
            if order.coin == coin and (order_id(order.oid) == named or (client and order.cloid == client))
        ]
        return [self.order_row(order, views_orders.history) for order in found]

    def _fills(self, account: str, query: Json, first: int, last: int) -> list[Fill]:
        symbols = self._symbols(query)
        found = self._exchange.fills(account, first, last)[::-1]
        return _page(query, [fill for fill in found if not symbols or symbol_of(fill.coin) in symbols])

    def _trades(self, account: str, query: Json) -> Any:  # noqa: ANN401 - any JSON
        fills = self._fills(account, query, *self._span(query))
        return [
            views_orders.trade(fill, self._exchange.order_by_oid(account, fill.oid), self.facts_of(fill))
            for fill in fills
        ]

    def _coded_trades(self, account: str, query: Json) -> Any:  # noqa: ANN401 - any JSON
        """Return a list without rows, unlike the orders beside it."""
        fills = self._fills(account, query, whole(query, "start", 0), whole(query, "end", self._venue.now_ms()))
        return [
            views_orders.coded_trade(fill, self._exchange.order_by_oid(account, fill.oid), self.facts_of(fill))
            for fill in fills
        ]

    def _funding(self, account: str, query: Json) -> Any:  # noqa: ANN401 - any JSON
        coin = coin_of(query, self._venue.coins)
        paid = [payment for payment in self._exchange.funding_payments(account)[::-1] if payment.coin == coin]
        mark = self._exchange.mark(coin)
        return {"rows": [views_account.funding_fee(payment, mark) for payment in _page(query, paid)]}

    def _wallets(self, _account: str, query: Json) -> Any:  # noqa: ANN401 - any JSON
        """Nobody has spot money here; the wallet says so in scaled numbers."""
        currency = optional_text(query, "currency") or QUOTE
        wallet = {
            "currency": currency,
            "balanceEv": 0,
            "lockedTradingBalanceEv": 0,
            "lockedWithdrawEv": 0,
            "lastUpdateTimeNs": self._venue.now_ns(),
            "walletVid": 0,
        }
        return [wallet]

    def _symbols(self, query: Json) -> frozenset[str]:
        symbol, symbols = optional_text(query, "symbol"), optional_text(query, "symbols")
        if symbol:
            return frozenset({symbol})
        _require_money(query)
        return frozenset(name.strip() for name in symbols.split(",") if name.strip())

    def _span(self, query: Json) -> tuple[int, int]:
        """Return the first and last millisecond asked for; without a start it is two days before the end."""
        end = whole(query, "end", self._venue.now_ms())
        return whole(query, "start", max(0, end - _TWO_DAYS_MS)), end


def _require_money(query: Json) -> None:
    if text(query, "currency") != QUOTE:
        raise RefusedError(ARGUMENTS, "Please double check input arguments: currency")


def _page(query: Json, rows: Sequence[T]) -> list[T]:
    start = whole(query, "offset", 0)
    return list(rows[start : start + whole(query, "limit", _PAGE, _LARGEST_PAGE)])
