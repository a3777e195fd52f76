"""What an account may ask about itself, and its settings.

https://developers.binance.com/docs/derivatives/usds-margined-futures/account/rest-api
"""

from __future__ import annotations

from collections.abc import Callable

from apps.exchanges.mock.engine.api import OrderSnapshot, PositionState, Rejected
from apps.exchanges.mock.wire.binance import account_views, views
from apps.exchanges.mock.wire.binance.fields import Params
from apps.exchanges.mock.wire.binance.refusals import (
    MARGIN_TYPE_SAME,
    NO_SUCH_ORDER,
    ORDERS_KEEP_MARGIN_TYPE,
    SIDES_SAME,
    RefusedError,
    refusal,
)
from apps.exchanges.mock.wire.binance.trading import Trading
from apps.exchanges.mock.wire.binance.venue import Venue
from apps.exchanges.mock.wire.binance.words import on_record, symbol_of
from apps.exchanges.mock.wire.port import Json

_WEEK_MS = 7 * 24 * 3_600_000


class Reads:
    """Answers about one account. Every method refuses with RefusedError."""

    def __init__(self, venue: Venue, trading: Trading, leverage_changed: Callable[[str, str, int], None]) -> None:
        """Ask `venue`; `leverage_changed` hears account, coin and leverage."""
        self._venue, self._trading, self._leverage_changed = venue, trading, leverage_changed
        self._countdowns: dict[tuple[str, str], int] = {}

    def order(self, account: str, params: Params) -> Json:
        """Return one order (GET /order)."""
        order = self._trading.find(account, self._venue.coin(params), params)
        if order is None:
            raise RefusedError(*NO_SUCH_ORDER)
        return self._venue.order_row(account, order)

    def open_order(self, account: str, params: Params) -> Json:
        """Return one order that is still open (GET /openOrder)."""
        order = self._trading.find(account, self._venue.coin(params), params)
        if order is None or order.status.final:
            raise RefusedError(*NO_SUCH_ORDER)
        return self._venue.order_row(account, order)

    def open_orders(self, account: str, params: Params) -> list[Json]:
        """Return open orders, of one symbol or all (GET /openOrders)."""
        coins = self._venue.coins_asked(params)
        found = self._venue.exchange.open_orders(account)
        return [self._venue.order_row(account, order) for order in found if order.coin in coins]

    def all_orders(self, account: str, params: Params) -> list[Json]:
        """Return orders of a symbol, ended ones too, oldest first (GET /allOrders)."""
        coin, limit = self._venue.coin(params), min(params.whole("limit", 500), 1_000)
        start, end, first = params.whole("startTime", 0), params.find_whole("endTime"), params.find_whole("orderId")

        def wanted(order: OrderSnapshot) -> bool:
            within = order.placed_ms >= start and (end is None or order.placed_ms <= end)
            return order.coin == coin and on_record(order) and (order.oid >= first if first is not None else within)

        exchange = self._venue.exchange
        known = [*exchange.order_history(account, 100_000), *exchange.open_orders(account)]
        found = sorted((order for order in known if wanted(order)), key=lambda order: order.oid)
        page = found[:limit] if first is not None or start else found[-limit:]
        return [self._venue.order_row(account, order) for order in page]

    def trades(self, account: str, params: Params) -> list[Json]:
        """Return fills of a symbol, oldest first (GET /userTrades): by id, by time (a week at most) or the newest."""
        coin, limit = self._venue.coin(params), min(params.whole("limit", 500), 1_000)
        start, end = self._span(params)
        first, order_id = params.find_whole("fromId"), params.find_whole("orderId")
        if first is not None:
            found = [fill for fill in self._venue.exchange.fills(account) if fill.tid >= first]
        else:
            found = self._venue.exchange.fills(account, start, end)
        rows = [fill for fill in found if fill.coin == coin and order_id in (None, fill.oid)]
        forwards = first is not None or params.find("startTime") is not None
        return [self._venue.fill_row(fill) for fill in (rows[:limit] if forwards else rows[-limit:])]

    def income(self, account: str, params: Params) -> list[Json]:
        """Return what moved the balance, oldest first (GET /income)."""
        limit, kind = min(params.whole("limit", 100), 1_000), params.find("incomeType")
        now = self._venue.now_ms()
        start, end = params.whole("startTime", now - _WEEK_MS), params.find_whole("endTime")
        symbol = params.find("symbol")
        payments = self._venue.exchange.funding_payments(account, start, end)
        rows = [views.income(payment, payment.time_ms * 1_000 + n) for n, payment in enumerate(payments)]
        for fill in self._venue.exchange.fills(account, start, end):
            if fill.coin not in self._venue.specs:
                continue
            rows.append(views.income_of_fill(fill, "COMMISSION", -fill.fee))
            if fill.closed_pnl:
                rows.append(views.income_of_fill(fill, "REALIZED_PNL", fill.closed_pnl))
        wanted = [row for row in rows if kind in (None, row["incomeType"]) and symbol in (None, row["symbol"])]
        wanted.sort(key=lambda row: row["time"])
        page = (params.whole("page", 1) - 1) * limit
        return wanted[page : page + limit]

    def account(self, account: str, _: Params) -> Json:
        """Return balances and positions (GET /fapi/v3/account)."""
        ordered = {order.coin for order in self._venue.exchange.open_orders(account)} & self._venue.specs.keys()
        return account_views.account(self._venue.state(account), ordered, self._venue.now_ms())

    def account_v2(self, account: str, _: Params) -> Json:
        """Return balances and every symbol's position (GET /fapi/v2/account)."""
        return account_views.account_v2(self._venue.state(account), self._venue.specs, self._venue.now_ms())

    def balance(self, account: str, _: Params) -> list[Json]:
        """Return balances (GET /fapi/v3/balance)."""
        return account_views.balances(self._venue.state(account), self._venue.now_ms())

    def positions(self, account: str, params: Params) -> list[Json]:
        """Return positions that are not flat (GET /fapi/v3/positionRisk)."""
        return self._positions(account, params, account_views.position_risk)

    def positions_v2(self, account: str, params: Params) -> list[Json]:
        """Return positions with leverage (GET /fapi/v2/positionRisk)."""
        return self._positions(account, params, account_views.position_risk_v2)

    def _positions(self, account: str, params: Params, view: Callable[[PositionState, int], Json]) -> list[Json]:
        coins, now = self._venue.coins_asked(params), self._venue.now_ms()
        return [view(entry, now) for entry in self._venue.state(account).positions if entry.coin in coins]

    def symbol_config(self, account: str, params: Params) -> list[Json]:
        """Return margin type and leverage by symbol (GET /symbolConfig)."""
        return [
            {
                "symbol": symbol_of(coin),
                "marginType": "ISOLATED" if self._venue.exchange.is_isolated(account, coin) else "CROSSED",
                "isAutoAddMargin": "false",
                "leverage": self._venue.exchange.leverage(account, coin),
                "maxNotionalValue": "100000000",
            }
            for coin in self._venue.coins_asked(params)
        ]

    def set_leverage(self, account: str, params: Params) -> Json:
        """Set a symbol's leverage (POST /leverage)."""
        coin, leverage = self._venue.coin(params), params.whole("leverage")
        is_cross = not self._venue.exchange.is_isolated(account, coin)
        answer = self._venue.exchange.update_leverage(account, coin, leverage, is_cross=is_cross)
        if isinstance(answer, Rejected):
            raise refusal(answer)
        self._leverage_changed(account, coin, leverage)
        return {"leverage": leverage, "maxNotionalValue": "100000000", "symbol": symbol_of(coin)}

    def set_margin_type(self, account: str, params: Params) -> Json:
        """Set a symbol's margin type (POST /marginType), while it has neither orders nor a position."""
        coin, exchange = self._venue.coin(params), self._venue.exchange
        is_cross = params.choice("marginType", ("ISOLATED", "CROSSED")) == "CROSSED"
        if is_cross is not exchange.is_isolated(account, coin):
            raise RefusedError(*MARGIN_TYPE_SAME)
        if any(order.coin == coin for order in exchange.open_orders(account)):
            raise RefusedError(*ORDERS_KEEP_MARGIN_TYPE)
        leverage = exchange.leverage(account, coin)
        answer = exchange.update_leverage(account, coin, leverage, is_cross=is_cross)
        if isinstance(answer, Rejected):
            raise refusal(answer)
        return {"code": 200, "msg": "success"}

    def move_margin(self, account: str, params: Params) -> Json:
        """Add to the margin of an isolated position, or take from it (POST /positionMargin)."""
        coin, amount = self._venue.coin(params), params.decimal("amount")
        adds = params.choice("type", ("1", "2")) == "1"
        answer = self._venue.exchange.move_isolated_margin(account, coin, amount if adds else -amount)
        if isinstance(answer, Rejected):
            raise refusal(answer)
        kind = 1 if adds else 2
        return {"amount": float(amount), "code": 200, "msg": "Successfully modify position margin.", "type": kind}

    def sides(self, _account: str, _: Params) -> Json:
        """Return whether the account is in hedge mode (GET /positionSide/dual): never."""
        return {"dualSidePosition": False}

    def set_sides(self, _account: str, params: Params) -> Json:
        """Refuse hedge mode (POST /positionSide/dual)."""
        params.text("dualSidePosition")
        if params.flag("dualSidePosition"):
            raise RefusedError(-1130, "Data sent for parameter 'dualSidePosition' is not valid.")
        raise RefusedError(*SIDES_SAME)

    def multi_assets(self, _account: str, _: Params) -> Json:
        """Return whether several assets are margin (GET /multiAssetsMargin): never."""
        return {"multiAssetsMargin": False}

    def account_config(self, _account: str, _: Params) -> Json:
        """Return permissions and modes (GET /accountConfig)."""
        may = {"feeTier": 0, "canTrade": True, "canDeposit": True, "canWithdraw": True}
        return {**may, "dualSidePosition": False, "updateTime": 0, "multiAssetsMargin": False, "tradeGroupId": -1}

    def commission_rate(self, _account: str, params: Params) -> Json:
        """Return the account's fees (GET /commissionRate)."""
        config = self._venue.config
        rates = {"makerCommissionRate": views.rate(config.maker_fee_bps)}
        rates["takerCommissionRate"] = views.rate(config.taker_fee_bps)
        return {"symbol": symbol_of(self._venue.coin(params)), **rates}

    def brackets(self, _account: str, params: Params) -> list[Json]:
        """Return leverage brackets (GET /leverageBracket): one for every symbol."""
        return [
            {
                "symbol": symbol_of(coin),
                "brackets": [
                    {
                        "bracket": 1,
                        "initialLeverage": self._venue.specs[coin].max_leverage,
                        "notionalCap": 100_000_000,
                        "notionalFloor": 0,
                        "maintMarginRatio": 0.5 / self._venue.specs[coin].max_leverage,
                        "cum": 0.0,
                    }
                ],
            }
            for coin in self._venue.coins_asked(params)
        ]

    def order_limits(self, _account: str, _: Params) -> list[Json]:
        """Return the account's order limits (GET /rateLimit/order)."""
        return [limit.row() for limit in self._venue.limits.allowed.orders]

    def countdown(self, account: str, params: Params) -> Json:
        """Set or, with 0, lift the timer that cancels a symbol's orders (POST /countdownCancelAll)."""
        coin, after = self._venue.coin(params), params.whole("countdownTime")
        if after < 0:
            raise RefusedError(-1130, "Data sent for parameter 'countdownTime' is not valid.")
        self._countdowns.pop((account, coin), None)
        if after:
            self._countdowns[account, coin] = self._venue.now_ms() + after
        return {"symbol": symbol_of(coin), "countdownTime": str(after)}

    def run_countdowns(self) -> None:
        """Cancel where a timer has run out; the venue looks about every 10 ms."""
        now = self._venue.now_ms()
        for account, coin in [key for key, at in self._countdowns.items() if at <= now]:
            del self._countdowns[account, coin]
            self._venue.exchange.cancel_all(account, coin)

    def _span(self, params: Params) -> tuple[int, int | None]:
        start, end = params.find_whole("startTime"), params.find_whole("endTime")
        if start is not None and end is not None and end - start > _WEEK_MS:
            raise RefusedError(-4165, "Invalid time interval: the maximum time interval is 7 days.")
        if start is None:
            return (end if end is not None else self._venue.now_ms()) - _WEEK_MS, end
        return start, end if end is not None else start + _WEEK_MS
