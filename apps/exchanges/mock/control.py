"""Scenario control for tests and demos: accounts, faults, prices, and what the venue has seen.

Plain JSON over HTTP under `/admin`, for this machine only. None of it exists at a real venue.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from decimal import Decimal
from typing import Any, TypeAlias

import orjson
from aiohttp import web

from apps.exchanges.mock.engine.exchange import Exchange
from apps.exchanges.mock.faults import FaultKind, read_rule
from apps.exchanges.mock.wire.hyperliquid.http import HyperliquidWire
from apps.exchanges.mock.wire.hyperliquid.numbers import read_address, read_decimal
from moondev.domain.clock import milliseconds
from moondev.domain.errors import TradingError

Json: TypeAlias = dict[str, Any]
Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Control:
    """The endpoints under `/admin`."""

    def __init__(self, exchange: Exchange, wire: HyperliquidWire) -> None:
        """Control `exchange` and what `wire` says about it."""
        self._exchange = exchange
        self._wire = wire
        self._venue = wire.venue

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        table = (
            ("GET", "/admin/health", self._health),
            ("GET", "/admin/state", self._state),
            ("POST", "/admin/accounts", self._open_account),
            ("GET", "/admin/faults", self._list_faults),
            ("POST", "/admin/faults", self._add_fault),
            ("DELETE", "/admin/faults", self._clear_faults),
            ("POST", "/admin/mark", self._set_mark),
            ("POST", "/admin/quote", self._quote),
            ("POST", "/admin/trade", self._trade),
            ("POST", "/admin/feed", self._feed),
        )
        return [web.route(method, path, _guarded(handler)) for method, path, handler in table]

    async def _health(self, _: Json) -> Json:
        return {"status": "ok", "time_ms": milliseconds(self._venue.clock.now())}

    async def _open_account(self, body: Json) -> Json:
        address = read_address("address", body.get("address"))
        deposit = _positive("deposit", body) if "deposit" in body else self._venue.config.default_deposit
        row = self._venue.open_account(address, deposit)
        self._wire.sockets.hub.announce_deposit(address, row)
        return {"address": address, "account_value": str(self._exchange.account_state(address).account_value)}

    async def _list_faults(self, _: Json) -> list[dict[str, object]]:
        return self._venue.faults.listing()

    async def _add_fault(self, body: Json) -> Json:
        rule = read_rule(body)
        if rule.kind is FaultKind.WS_DISCONNECT:
            return {"kind": rule.kind, "disconnected": self._wire.sockets.hub.disconnect_all()}
        return asdict(self._venue.faults.add(rule))

    async def _clear_faults(self, _: Json) -> Json:
        return {"cleared": self._venue.faults.clear()}

    async def _set_mark(self, body: Json) -> Json:
        coin, price = self._coin(body), _positive("price", body)
        self._exchange.set_mark(coin, price)
        return {"coin": coin, "mark": str(self._exchange.mark(coin))}

    async def _quote(self, body: Json) -> Json:
        coin, is_buy = self._coin(body), _side(body)
        price, size = _positive("price", body), _positive("size", body)
        house = self._exchange.house()
        market = house.market(coin)
        px, units = market.grid.price_units(price), market.grid.size_units(size)
        if px is None or units is None:
            raise ValueError(f"price and size must lie on the grid of {coin}, got {price} and {size}")
        house.quote(market, px, units, is_buy=is_buy)
        self._exchange.tick(self._venue.clock.now())
        return {"coin": coin, "side": body["side"], "price": str(price), "size": str(size)}

    async def _trade(self, body: Json) -> Json:
        coin, is_buy = self._coin(body), _side(body)
        size, price = _positive("size", body), _positive("price", body)
        had = self._exchange.print_trade(coin, size, price, is_buy=is_buy)
        return {"coin": coin, "side": body["side"], "traded": str(had)}

    async def _feed(self, body: Json) -> Json:
        actions = {"pause": self._exchange.pause_feed, "resume": self._exchange.resume_feed}
        wanted = body.get("action")
        if wanted not in actions:
            raise ValueError(f"action must be pause or resume, got {wanted!r}")
        actions[wanted]()
        return {"feed": wanted}

    async def _state(self, _: Json) -> Json:
        accounts = {address: self._account(address) for address in self._exchange.addresses()}
        records = self._venue.records
        return {
            "time_ms": milliseconds(self._venue.clock.now()),
            "limits": self._venue.config.limits,
            "connections": len(self._wire.sockets.hub.connections),
            "faults": self._venue.faults.listing(),
            "totals": {
                "accounts": len(accounts),
                "orders": records.accepted_orders,
                "fills": records.fills,
                "open_orders": sum(account["open_orders"] for account in accounts.values()),
                "actions": sum(count.received for kinds in records.actions.values() for count in kinds.values()),
            },
            "accounts": accounts,
        }

    def _account(self, address: str) -> Json:
        state = self._exchange.account_state(address)
        kinds = self._venue.records.actions.get(address, {})
        return {
            "account_value": str(state.account_value),
            "deposit": str(state.deposit),
            "fees": str(state.fees),
            "funding": str(state.funding),
            "volume": str(state.volume),
            "positions": {entry.coin: str(entry.size) for entry in state.positions},
            "open_orders": len(self._exchange.open_orders(address)),
            "fills": len(self._exchange.fills(address)),
            "actions": {kind: asdict(count) for kind, count in kinds.items()},
        }

    def _coin(self, body: Json) -> str:
        coin = body.get("coin")
        if coin not in self._venue.assets:
            raise ValueError(f"coin must be one of {', '.join(self._venue.assets)}, got {coin!r}")
        return str(coin)


def _guarded(handler: Callable[[Json], Awaitable[object]]) -> Handler:
    """Return `handler` for this machine only, its refusals as HTTP 400 with the sentence."""

    async def guarded(request: web.Request) -> web.StreamResponse:
        if request.remote is None or not ipaddress.ip_address(request.remote).is_loopback:
            return _json({"error": "only from this machine"}, 403)
        try:
            return _json(await handler(await _body(request)), 200)
        except (ValueError, TradingError) as error:
            return _json({"error": str(error)}, 400)

    return guarded


async def _body(request: web.Request) -> Json:
    text = await request.read()
    body = orjson.loads(text) if text else {}
    if not isinstance(body, dict):
        raise ValueError(f"the body must be a JSON object, got {body!r}")  # noqa: TRY004 - answered as HTTP 400
    return body


def _json(data: object, status: int) -> web.Response:
    return web.Response(body=orjson.dumps(data), status=status, content_type="application/json")


def _positive(name: str, body: Json) -> Decimal:
    raw = body.get(name)
    is_number = isinstance(raw, int | float) and not isinstance(raw, bool)
    value = read_decimal(name, repr(raw) if is_number else raw)
    if value <= 0:
        raise ValueError(f"{name} must be above 0, got {raw!r}")
    return value


def _side(body: Json) -> bool:
    side = body.get("side")
    if side not in {"buy", "sell"}:
        raise ValueError(f"side must be buy or sell, got {side!r}")
    return bool(side == "buy")
