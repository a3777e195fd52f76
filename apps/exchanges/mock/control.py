"""Scenario control for tests and demos: accounts, faults, prices, and what the venue has seen.

Plain JSON over HTTP under `/admin`, for this machine only. None of it exists at a real venue.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from decimal import Decimal
from typing import Any, TypeAlias

import orjson
from aiohttp import web

from apps.exchanges.mock.engine.exchange import Exchange
from apps.exchanges.mock.faults import FaultBook, FaultKind, read_rule
from apps.exchanges.mock.relay.feed import RelayFeed
from apps.exchanges.mock.wire.config import WireConfig
from apps.exchanges.mock.wire.hyperliquid.numbers import read_decimal
from apps.exchanges.mock.wire.port import AccountRequest, Wire
from moondev.domain.clock import Clock, milliseconds
from moondev.domain.errors import TradingError

Json: TypeAlias = dict[str, Any]
_SHORT_NAMES: Mapping[str, str] = {"hyperliquid": "hl"}
Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Control:
    """The endpoints under `/admin`. A request may name a `venue`; without one it means the first."""

    def __init__(self, wires: Mapping[str, Wire], clock: Clock, config: WireConfig, faults: FaultBook) -> None:
        """Control the venues of `wires`, by name, and the faults of all."""
        self._wires = wires
        self._clock, self._config, self._faults = clock, config, faults

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
        """Say that the server is up, and how each venue's market is driven: a relay may have gone stale."""
        feeds = {name: _feed_health(wire.exchange) for name, wire in self._wires.items()}
        stale = any(feed["stale"] for feed in feeds.values())
        return {
            "status": "stale" if stale else "ok",
            "time_ms": milliseconds(self._clock.now()),
            "venues": list(self._wires),
            "feeds": feeds,
        }

    async def _open_account(self, body: Json) -> Json:
        wire = self._wire(body)
        deposit = self._config.default_deposit
        if "deposit" in body:
            deposit = _amount("deposit", body, allow_zero=bool(body.get("api_key")))
        address = _text("address", body)
        request = AccountRequest(
            address.lower(),
            deposit,
            api_key=_text("api_key", body, ""),
            api_secret=_text("api_secret", body, ""),
            public_key=_text("public_key", body, ""),
        )
        spot = _spot_amounts(body, wire.exchange)
        wire.open_account(request)
        for asset, amount in spot.items():
            wire.exchange.deposit_asset(request.address, asset, amount)
        return {"address": address, "account_value": str(wire.exchange.account_state(request.address).account_value)}

    async def _list_faults(self, _: Json) -> list[dict[str, object]]:
        return self._faults.listing()

    async def _add_fault(self, body: Json) -> Json:
        wire = self._wire(body)
        rule = read_rule({**body, "venue": wire.name})
        if rule.kind is FaultKind.WS_DISCONNECT:
            return {"kind": rule.kind, "disconnected": wire.disconnect_all()}
        return asdict(self._faults.add(rule))

    async def _clear_faults(self, body: Json) -> Json:
        return {"cleared": self._faults.clear(self._wire(body).name if "venue" in body else None)}

    async def _set_mark(self, body: Json) -> Json:
        exchange, coin, price = self._exchange(body), self._coin(body), _amount("price", body)
        exchange.set_mark(coin, price)
        return {"coin": coin, "mark": str(exchange.mark(coin))}

    async def _quote(self, body: Json) -> Json:
        exchange, coin, is_buy = self._exchange(body), self._coin(body), _side(body)
        price, size = _amount("price", body), _amount("size", body)
        house = exchange.house()
        market = house.market(coin)
        px, units = market.grid.price_units(price), market.grid.size_units(size)
        if px is None or units is None:
            raise ValueError(f"price and size must lie on the grid of {coin}, got {price} and {size}")
        house.quote(market, px, units, is_buy=is_buy)
        exchange.tick(self._clock.now())
        return {"coin": coin, "side": body["side"], "price": str(price), "size": str(size)}

    async def _trade(self, body: Json) -> Json:
        coin, is_buy = self._coin(body), _side(body)
        size, price = _amount("size", body), _amount("price", body)
        had = self._exchange(body).print_trade(coin, size, price, is_buy=is_buy)
        return {"coin": coin, "side": body["side"], "traded": str(had)}

    async def _feed(self, body: Json) -> Json:
        wanted = body.get("action")
        if wanted not in {"pause", "resume"}:
            raise ValueError(f"action must be pause or resume, got {wanted!r}")
        wires = [self._wire(body)] if "venue" in body else list(self._wires.values())
        for wire in wires:
            if wanted == "pause":
                wire.exchange.pause_feed()
            else:
                wire.exchange.resume_feed()
        return {"feed": wanted}

    async def _state(self, body: Json) -> Json:
        """Say what the first venue has seen, or the one that is named; and what all of them have, in brief."""
        wire = self._wire(body)
        counts = wire.counts()
        accounts = {address: _account(wire, counts, address) for address in wire.exchange.addresses()}
        return {
            "time_ms": milliseconds(self._clock.now()),
            "limits": self._config.limits,
            "connections": counts["connections"],
            "faults": self._faults.listing(),
            "totals": {
                "accounts": len(accounts),
                "orders": counts["orders"],
                "fills": counts["fills"],
                "open_orders": sum(account["open_orders"] for account in accounts.values()),
                "actions": sum(c["received"] for kinds in counts["actions"].values() for c in kinds.values()),
            },
            "accounts": accounts,
            "venues": list(self._wires),
        }

    def _wire(self, body: Json) -> Wire:
        """Return the wire that a request means, by the venue's name or by the short one of its address."""
        if "venue" not in body:
            return next(iter(self._wires.values()))
        named = body["venue"]
        for name, wire in self._wires.items():
            if named in (name, _SHORT_NAMES.get(name)):
                return wire
        raise ValueError(f"venue must be one of {', '.join(self._wires)}, got {named!r}")

    def _exchange(self, body: Json) -> Exchange:
        return self._wire(body).exchange

    def _coin(self, body: Json) -> str:
        exchange = self._exchange(body)
        coins = [spec.coin for spec in (*exchange.specs(), *exchange.spot_specs())]
        coin = body.get("coin")
        if coin not in coins:
            raise ValueError(f"coin must be one of {', '.join(coins)}, got {coin!r}")
        return str(coin)


def _feed_health(exchange: Exchange) -> Json:
    feed = exchange.feed
    if isinstance(feed, RelayFeed):
        return {**feed.source.health(), "paused": exchange.feed_paused}
    kind = "none" if feed is None else type(feed).__name__.removesuffix("Feed").lower()
    return {"kind": kind, "stale": False, "paused": exchange.feed_paused}


def _account(wire: Wire, counts: Json, address: str) -> Json:
    exchange = wire.exchange
    state = exchange.account_state(address)
    return {
        "account_value": str(state.account_value),
        "deposit": str(state.deposit),
        "fees": str(state.fees),
        "funding": str(state.funding),
        "volume": str(state.volume),
        "positions": {entry.coin: str(entry.size) for entry in state.positions},
        "spot": {entry.asset: str(entry.total) for entry in exchange.balances(address)},
        "open_orders": len(exchange.open_orders(address)),
        "fills": len(exchange.fills(address)),
        "actions": counts["actions"].get(address, {}),
    }


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


def _amount(name: str, body: Json, *, allow_zero: bool = False) -> Decimal:
    raw = body.get(name)
    is_number = isinstance(raw, int | float) and not isinstance(raw, bool)
    value = read_decimal(name, repr(raw) if is_number else raw)
    if value < 0 or (value == 0 and not allow_zero):
        raise ValueError(f"{name} must be above 0, got {raw!r}")
    return value


def _spot_amounts(body: Json, exchange: Exchange) -> dict[str, Decimal]:
    """Read `spot`: what is to be had of each asset at the spot market."""
    wanted = body.get("spot", {})
    assets = {asset for spec in exchange.spot_specs() for asset in (spec.quote, spec.base)}
    if not isinstance(wanted, dict) or not set(wanted) <= assets:
        allowed = ", ".join(sorted(asset for asset in assets if asset)) or "nothing: the venue has no spot market"
        raise ValueError(f"spot must be amounts by asset, of {allowed}; got {wanted!r}")
    return {asset: _amount(f"spot {asset}", {f"spot {asset}": raw}) for asset, raw in wanted.items()}


def _text(name: str, body: Json, default: str | None = None) -> str:
    raw = body.get(name, default)
    if not isinstance(raw, str) or (default is None and not raw):
        raise ValueError(f"{name} must be a text, got {raw!r}")
    return raw


def _side(body: Json) -> bool:
    side = body.get("side")
    if side not in {"buy", "sell"}:
        raise ValueError(f"side must be buy or sell, got {side!r}")
    return bool(side == "buy")
