"""The private stream: what an account is told about its orders, fills and balance.

https://developers.binance.com/docs/derivatives/usds-margined-futures/user-data-streams
"""

from __future__ import annotations

from collections import OrderedDict
from decimal import Decimal

import orjson

from apps.exchanges.mock.engine.api import Fill, OrderSnapshot, OrderStatus
from apps.exchanges.mock.engine.events import Event, FundingPaid, OrderUpdated, UserFill
from apps.exchanges.mock.wire.binance import account_views, views
from apps.exchanges.mock.wire.binance.venue import Venue
from apps.exchanges.mock.wire.binance.words import (
    LIQUIDATION,
    QUOTE,
    REMEMBERED,
    Kind,
    money,
    on_record,
    price,
    status,
    symbol_of,
    text,
)
from apps.exchanges.mock.wire.port import Json
from apps.exchanges.mock.wire.topics import Topics

_ZERO = Decimal(0)


class PrivateStream:
    """What accounts are told. Topics are listen keys."""

    def __init__(self, venue: Venue, topics: Topics) -> None:
        """Listen to the engine of `venue`."""
        self._venue, self._topics = venue, topics
        self._told: OrderedDict[int, tuple[Decimal, Decimal]] = OrderedDict()
        venue.exchange.subscribe(self._on_event)

    def tell(self, account: str, event: Json) -> None:
        """Send an event to everybody who holds the account's listen key."""
        key = self._venue.listen_keys.of(account)
        if key is not None and key in self._topics:
            self._send(key, event)

    def leverage_changed(self, account: str, coin: str, leverage: int) -> None:
        """Tell about a symbol's new leverage."""
        now = self._venue.now_ms()
        change = {"s": symbol_of(coin), "l": leverage}
        self.tell(account, {"e": "ACCOUNT_CONFIG_UPDATE", "E": now, "T": now, "ac": change})

    def _send(self, key: str, event: Json) -> None:
        plain, wrapped = orjson.dumps(event), orjson.dumps({"stream": key, "data": event})
        for line in self._topics.of(key):
            line.send(str(event["e"]), wrapped if getattr(line, "combined", False) else plain)

    def deposited(self, account: str, amount: Decimal) -> None:
        """Tell about money that came in."""
        self.tell(account, self._account_update(account, "DEPOSIT", amount, None))

    def expire_keys(self) -> None:
        """Tell the holders of listen keys whose hour is over."""
        for key in self._venue.listen_keys.take_expired(self._venue.now_ms()):
            event = {"e": "listenKeyExpired", "E": self._venue.now_ms(), "listenKey": key.key}
            self._send(key.key, event)

    def _on_event(self, event: Event) -> None:
        if isinstance(event, OrderUpdated) and event.order.coin in self._venue.specs:
            self._on_order(event.address, event.order, event.time_ms)
        elif isinstance(event, UserFill) and event.fill.coin in self._venue.specs:
            self._on_fill(event.address, event.fill)
        elif isinstance(event, FundingPaid):
            # Of crossed positions the venue says the change of the balance only, not for which symbol.
            self.tell(event.address, self._account_update(event.address, "FUNDING_FEE", -event.payment.paid, None))

    def _on_order(self, account: str, order: OrderSnapshot, time_ms: int) -> None:
        if not on_record(order):
            return
        was = self._introduce(account, order)
        if order.status is OrderStatus.OPEN:
            if was is not None and was != (order.price, order.size):
                self.tell(account, self._event(account, order, "AMENDMENT", status(order), time_ms))
        elif order.status in (OrderStatus.CANCELED, OrderStatus.REJECTED):
            word = status(order)
            self.tell(
                account, self._event(account, order, "CANCELED" if word == "CANCELED" else "EXPIRED", word, time_ms)
            )

    def _on_fill(self, account: str, fill: Fill) -> None:
        order = self._venue.exchange.order_by_oid(account, fill.oid)
        if order is None:
            return
        self._introduce(account, order)
        filled = self._venue.sums.of(fill.oid).size
        word = "FILLED" if filled >= order.size else "PARTIALLY_FILLED"
        self.tell(account, self._lite(fill, order))
        self.tell(account, self._account_update(account, "ORDER", _ZERO, fill.coin))
        self.tell(account, self._event(account, order, "TRADE", word, fill.time_ms, fill))

    def _introduce(self, account: str, order: OrderSnapshot) -> tuple[Decimal, Decimal] | None:
        """Tell of an order nobody has heard of; return price and size as they were last told."""
        was = self._told.get(order.oid)
        self._told[order.oid] = (order.price, order.size)
        if was is None:
            self.tell(account, self._event(account, order, "NEW", "NEW", order.placed_ms))
            if len(self._told) > REMEMBERED:
                self._told.popitem(last=False)
        return was

    def _event(
        self, account: str, order: OrderSnapshot, execution: str, word: str, time_ms: int, fill: Fill | None = None
    ) -> Json:
        venue, spec = self._venue, self._venue.specs[order.coin]
        forced = fill is not None and fill.liquidation
        kind: Kind = LIQUIDATION if forced else venue.kinds.of(account, order.cloid)
        new = execution == "NEW"
        sums = venue.sums.of(order.oid)
        body = {
            "s": symbol_of(order.coin),
            "c": order.cloid or f"autoclose-{order.oid}",
            "S": views.side(is_buy=order.is_buy),
            "o": kind.order_type,
            "f": kind.time_in_force,
            "q": text(order.size),
            "p": "0" if kind.order_type == "MARKET" else price(spec, order.price),
            "ap": "0" if new else views.average(sums, spec),
            "sp": kind.stop_price,
            "x": "CALCULATED" if forced else execution,
            "X": word,
            "i": order.oid,
            "l": text(fill.size) if fill else "0",
            "z": "0" if new else text(sums.size),
            "L": price(spec, fill.price) if fill else "0",
            "n": money(fill.fee) if fill else "0",
            "N": QUOTE,
            "T": time_ms,
            "t": fill.tid if fill else 0,
            "b": "0",
            "a": "0",
            "m": not fill.crossed if fill else False,
            "R": order.reduce_only,
            "wt": kind.working_type,
            "ot": kind.original_type or kind.order_type,
            "ps": "BOTH",
            "cp": kind.close_position,
            "pP": False,
            "si": kind.algo_id,
            "ss": 0,
            "rp": money(fill.closed_pnl) if fill else "0",
            "V": kind.self_trade,
            "pm": "NONE",
            "gtd": kind.good_till_ms,
        }
        return {"e": "ORDER_TRADE_UPDATE", "T": time_ms, "E": venue.now_ms(), "o": body}

    def _lite(self, fill: Fill, order: OrderSnapshot) -> Json:
        spec = self._venue.specs[fill.coin]
        return {
            "e": "TRADE_LITE",
            "E": self._venue.now_ms(),
            "T": fill.time_ms,
            "s": symbol_of(fill.coin),
            "q": text(order.size),
            "p": price(spec, order.price),
            "m": not fill.crossed,
            "c": order.cloid or "",
            "S": views.side(is_buy=fill.is_buy),
            "L": price(spec, fill.price),
            "l": text(fill.size),
            "t": fill.tid,
            "i": fill.oid,
        }

    def _account_update(self, account: str, why: str, change: Decimal, coin: str | None) -> Json:
        state, now = self._venue.state(account), self._venue.now_ms()
        balance = money(account_views.wallet(state))
        positions = []
        if coin is not None:
            held = {entry.coin: entry for entry in state.positions}.get(coin)
            positions = [
                {
                    "s": symbol_of(coin),
                    "pa": text(held.size) if held else "0",
                    "ep": text(held.entry_px) if held else "0",
                    "bep": text(held.entry_px) if held else "0",
                    "cr": money(_ZERO),
                    "up": money(held.unrealised_pnl) if held else "0",
                    "mt": account_views.margin_type(held) if held else "cross",
                    "iw": money(held.isolated_margin) if held and held.isolated_margin else "0",
                    "ps": "BOTH",
                    "ma": QUOTE,
                }
            ]
        told = [{"a": QUOTE, "wb": balance, "cw": balance, "bc": money(change) if change else "0"}]
        return {"e": "ACCOUNT_UPDATE", "T": now, "E": now, "a": {"m": why, "B": told, "P": positions}}
