"""What Bybit tells an account about itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from apps.exchanges.mock.engine.api import Fill, FundingPayment, OrderSnapshot
from apps.exchanges.mock.wire.bybit import execution_views
from apps.exchanges.mock.wire.bybit.fields import (
    coin_of,
    optional_text,
    require_linear,
    text,
    whole,
)
from apps.exchanges.mock.wire.bybit.refusals import PARAMETER, RefusedError
from apps.exchanges.mock.wire.bybit.venue import Venue
from apps.exchanges.mock.wire.bybit.words import (
    CATEGORY,
    OTHER_CATEGORIES,
    QUOTE,
    execution_id,
    funding_id,
    order_id,
    plain,
    read_order_id,
    status_word,
    symbol_of,
)
from apps.exchanges.mock.wire.port import Json

T = TypeVar("T")
Answer = Callable[[Json], Json]
AccountAnswer = Callable[[str, Json], Json]
_WEEK_MS = 7 * 86_400_000


class AccountReads:
    """The private endpoints; each takes an account and the query and returns the `result`."""

    def __init__(self, venue: Venue) -> None:
        """Answer about accounts of `venue`."""
        self._venue, self._exchange = venue, venue.exchange
        self.answers: Mapping[str, AccountAnswer] = {
            "/v5/user/query-api": self._key,
            "/v5/account/info": self._info,
            "/v5/asset/coin/query-info": self._coins,
            "/v5/account/query-dcp-info": self._dcp,
            "/v5/account/wallet-balance": self._wallet,
            "/v5/account/fee-rate": self._fees,
            "/v5/account/transaction-log": self._log,
            "/v5/position/list": _linear(self._positions),
            "/v5/order/realtime": _linear(self._open),
            "/v5/order/history": _linear(self._history),
            "/v5/execution/list": _linear(self._executions),
        }

    def _key(self, account: str, _: Json) -> Json:
        permissions = {
            "ContractTrade": ["Order", "Position"],
            "Spot": [],
            "Wallet": [],
            "Derivatives": ["DerivativesTrade"],
        }
        return {
            "id": "1",
            "note": account,
            "apiKey": "",
            "readOnly": 0,
            "secret": "",
            "permissions": permissions,
            "ips": ["*"],
            "type": 1,
            "deadlineDay": -2,
            "unified": 0,
            "uta": 1,
            "userID": 1,
            "inviterID": 0,
            "vipLevel": "No VIP",
            "isMaster": True,
            "parentUid": "0",
        }

    def _coins(self, _account: str, query: Json) -> Json:
        """Tell of the one currency there is; clients ask for it when they start, and nothing can be withdrawn."""
        chain = {
            "chainType": "Ethereum",
            "confirmation": "12",
            "withdrawFee": "",
            "depositMin": "0",
            "withdrawMin": "0",
            "chain": "ETH",
            "chainDeposit": "0",
            "chainWithdraw": "0",
            "minAccuracy": "6",
            "withdrawPercentageFee": "0",
        }
        row = {"name": QUOTE, "coin": QUOTE, "remainAmount": "0", "chains": [chain]}
        return {"rows": [row] if optional_text(query, "coin") in ("", QUOTE) else []}

    def _info(self, account: str, _: Json) -> Json:
        return {
            "unifiedMarginStatus": 5,
            "marginMode": "ISOLATED_MARGIN" if account in self._venue.isolated else "REGULAR_MARGIN",
            # The venue says so to everybody; what is true is in query-dcp-info.
            "dcpStatus": "OFF",
            "timeWindow": 10,
            "smpGroup": 0,
            "isMasterTrader": False,
            "spotHedgingStatus": "OFF",
            "updatedTime": str(self._venue.now_ms()),
        }

    def _dcp(self, account: str, _: Json) -> Json:
        window = self._venue.silence_windows.get(account)
        infos = [] if window is None else [{"product": "DERIVATIVES", "dcpStatus": "ON", "timeWindow": str(window)}]
        return {"dcpInfos": infos}

    def _wallet(self, account: str, query: Json) -> Json:
        if text(query, "accountType") != "UNIFIED":
            raise RefusedError(PARAMETER, "accountType only support UNIFIED.")
        return {"list": [self._venue.wallet_row(account)]}

    def _fees(self, _account: str, query: Json) -> Json:
        # ccxt leaves the category out when it asks for all of them.
        require_linear({"category": CATEGORY, **query})
        coins = [coin_of(query, self._venue.coins)] if optional_text(query, "symbol") else sorted(self._venue.coins)
        maker, taker = (
            plain(bps / 10_000) for bps in (self._venue.config.maker_fee_bps, self._venue.config.taker_fee_bps)
        )
        return {"list": [{"symbol": symbol_of(coin), "makerFeeRate": maker, "takerFeeRate": taker} for coin in coins]}

    def _positions(self, account: str, query: Json) -> Json:
        require_linear(query)
        if optional_text(query, "symbol"):
            coins = [coin_of(query, self._venue.coins)]
        elif optional_text(query, "settleCoin") == QUOTE:
            coins = [entry.coin for entry in self._exchange.account_state(account).positions]
        else:
            raise RefusedError(PARAMETER, "Missing some parameters that must be filled in, symbol or settleCoin")
        rows = [self._venue.position_row(account, coin) for coin in coins]
        return {"category": CATEGORY, "list": rows, "nextPageCursor": ""}

    def _open(self, account: str, query: Json) -> Json:
        """Tell live orders; those that ended lately too when one is asked for by name, and alone with `openOnly` 1."""
        self._require_scope(query)
        found = self._named(account, query)
        if found is None:
            ended = optional_text(query, "openOnly") in {"1", "2"}
            found = self._exchange.order_history(account, 500) if ended else self._exchange.open_orders(account)[::-1]
        kind = optional_text(query, "orderFilter")
        return self._orders(query, [order for order in found if _is_kind(order, kind)], 20)

    def _history(self, account: str, query: Json) -> Json:
        require_linear(query)
        first, last = self._span(query)
        found, word = self._named(account, query), optional_text(query, "orderStatus")
        if found is None:
            found = self._exchange.order_history(account)
        chosen = [
            order
            for order in found
            if order.status.final and first <= order.status_ms <= last and word in ("", status_word(order))
        ]
        return self._orders(query, chosen, 20)

    def _named(self, account: str, query: Json) -> list[OrderSnapshot] | None:
        """Return the order that is asked for by name, if there is one; None: none is named."""
        given, link = optional_text(query, "orderId"), optional_text(query, "orderLinkId")
        if not given and not link:
            return None
        oid = read_order_id(given) if given else None
        if given:
            order = None if oid is None else self._exchange.order_by_oid(account, oid)
        else:
            order = self._exchange.order_by_cloid(account, link)
        return [] if order is None else [order]

    def _orders(self, query: Json, orders: Sequence[OrderSnapshot], default: int) -> Json:
        chosen = [order for order in orders if self._wanted(query, order)]
        page, cursor = _page(query, chosen, lambda order: order_id(order.oid), default, 50)
        rows = [self._venue.order_row(order) for order in page]
        return {"list": rows, "nextPageCursor": cursor, "category": CATEGORY}

    def _executions(self, account: str, query: Json) -> Json:
        """Tell fills and funding payments, newest first; both are executions here."""
        require_linear(query)
        chosen: list[Fill | FundingPayment] = [*self._fills(account, query), *self._payments(account, query)]
        chosen.sort(key=lambda item: item.time_ms, reverse=True)
        page, cursor = _page(query, chosen, _execution_name, 50, 100)
        rows = [
            self._venue.execution_row(account, item) if isinstance(item, Fill) else self._venue.funding_row(item)
            for item in page
        ]
        return {"nextPageCursor": cursor, "category": CATEGORY, "list": rows}

    def _fills(self, account: str, query: Json) -> list[Fill]:
        kind, symbol = optional_text(query, "execType"), optional_text(query, "symbol")
        named, link = optional_text(query, "orderId"), optional_text(query, "orderLinkId")
        return [
            fill
            for fill in reversed(self._exchange.fills(account, *self._span(query)))
            if (not kind or kind == ("BustTrade" if fill.liquidation else "Trade"))
            and (not symbol or symbol_of(fill.coin) == symbol)
            and (not named or read_order_id(named) == fill.oid)
            and (not link or fill.cloid == link)
        ]

    def _payments(self, account: str, query: Json) -> list[FundingPayment]:
        symbol = optional_text(query, "symbol")
        if optional_text(query, "execType") not in ("", "Funding") or any(
            optional_text(query, name) for name in ("orderId", "orderLinkId")
        ):
            return []
        found = self._exchange.funding_payments(account, *self._span(query))
        return [paid for paid in reversed(found) if not symbol or symbol_of(paid.coin) == symbol]

    def _log(self, account: str, query: Json) -> Json:
        first, last = self._span(query)
        kind, items = optional_text(query, "type"), list[Fill | FundingPayment]()
        items += self._exchange.fills(account, first, last)[::-1] if kind in ("", "TRADE") else []
        items += self._exchange.funding_payments(account, first, last)[::-1] if kind in ("", "SETTLEMENT") else []
        items.sort(key=lambda item: item.time_ms, reverse=True)
        page, cursor = _page(query, items, _execution_name, 20, 50)
        rows = [
            execution_views.traded(item) if isinstance(item, Fill) else execution_views.settlement(item)
            for item in page
        ]
        return {"nextPageCursor": cursor, "list": rows}

    def _wanted(self, query: Json, order: OrderSnapshot) -> bool:
        named, link, symbol = (optional_text(query, name) for name in ("orderId", "orderLinkId", "symbol"))
        return (
            (not named or read_order_id(named) == order.oid)
            and (not link or order.cloid == link)
            and (not symbol or symbol_of(order.coin) == symbol)
        )

    def _require_scope(self, query: Json) -> None:
        require_linear(query)
        if not any(optional_text(query, name) for name in ("symbol", "settleCoin", "baseCoin")):
            raise RefusedError(
                PARAMETER, "Missing some parameters that must be filled in, symbol or settleCoin or baseCoin"
            )
        if optional_text(query, "symbol"):
            coin_of(query, self._venue.coins)

    def _span(self, query: Json) -> tuple[int, int]:
        """Return the first and last millisecond asked for: a week at most, the last week when nothing is said."""
        now = self._venue.now_ms()
        if "startTime" in query:
            start = whole(query, "startTime", 0)
            end = whole(query, "endTime", start + _WEEK_MS)
        else:
            end = whole(query, "endTime", now)
            start = max(0, end - _WEEK_MS)
        if end - start > _WEEK_MS:
            raise RefusedError(PARAMETER, "The time range between startTime and endTime cannot exceed 7 days")
        return start, end


def _linear(answer: AccountAnswer) -> AccountAnswer:
    """Return `answer` for linear contracts; of the other categories an account here has nothing to tell."""

    def answered(account: str, query: Json) -> Json:
        category = text(query, "category")
        if category in OTHER_CATEGORIES:
            return {"category": category, "list": [], "nextPageCursor": ""}
        return answer(account, query)

    return answered


def _execution_name(item: Fill | FundingPayment) -> str:
    return execution_id(item.tid, item.oid) if isinstance(item, Fill) else funding_id(item, "execution")


def _log_row(item: Fill | FundingPayment) -> Json:
    return execution_views.traded(item) if isinstance(item, Fill) else execution_views.settlement(item)


def _is_kind(order: OrderSnapshot, kind: str) -> bool:
    """Return whether `orderFilter` means this order; without one all are meant."""
    stop = order.trigger is not None and order.waiting
    return {"Order": not stop, "StopOrder": stop, "tpslOrder": order.position_tpsl}.get(kind, True)


def _page(query: Json, rows: Sequence[T], key: Callable[[T], str], default: int, largest: int) -> tuple[list[T], str]:
    """Return one page and the cursor of the next: the name of the last row told. Empty when there is no more."""
    limit, cursor = whole(query, "limit", default, largest), optional_text(query, "cursor")
    start = 0
    if cursor:
        names = [key(row) for row in rows]
        if cursor not in names:
            raise RefusedError(PARAMETER, "params error: cursor invalid")
        start = names.index(cursor) + 1
    page: list[Any] = list(rows[start : start + limit])
    return page, key(page[-1]) if len(page) == limit and start + limit < len(rows) else ""
