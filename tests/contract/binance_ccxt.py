"""The unmodified ccxt clients, pointed at the mock exchange as its README tells a stranger to."""

from __future__ import annotations

from typing import Any

import ccxt
import ccxt.pro

from tests.contract.suite.scene import VenueScene


def settings(scene: VenueScene, key: str = "", secret: str = "") -> dict[str, Any]:
    """Return the constructor's argument: addresses, keys, and no requests that a futures trader can do without."""
    http, socket = scene.config.rest_url, scene.config.websocket_url.removesuffix("/fstream")
    return {
        "apiKey": key,
        "secret": secret,
        "enableRateLimit": False,
        "options": {
            "fetchMarkets": {"types": ["linear"]},
            "fetchMargins": False,
            "defaultType": "swap",
            "fetchOpenOrders": {"warnWithoutSymbol": False},
        },
        "urls": {
            "api": {
                "fapiPublic": f"{http}/fapi/v1",
                "fapiPublicV2": f"{http}/fapi/v2",
                "fapiPublicV3": f"{http}/fapi/v3",
                "fapiPrivate": f"{http}/fapi/v1",
                "fapiPrivateV2": f"{http}/fapi/v2",
                "fapiPrivateV3": f"{http}/fapi/v3",
                "ws": {"linear": f"{socket}/fstream/ws", "ws-api": {"linear": f"{socket}/ws-fapi/v1"}},
            }
        },
    }


def prepared(exchange: Any) -> Any:
    """Return `exchange` as a careful user sets it up.

    ccxt finds Binance's futures errors by the start of the URL; with another address -2019 would be a plain
    ExchangeError. Its own table, merged in, puts that right: data, not code.
    """
    exchange.has["fetchCurrencies"] = False
    exchange.exceptions["exact"] = {**exchange.exceptions["exact"], **exchange.exceptions["linear"]["exact"]}
    return exchange


def client(scene: VenueScene, key: str = "", secret: str = "") -> Any:
    """Return a ccxt client."""
    return prepared(ccxt.binanceusdm(settings(scene, key, secret)))


def listener(scene: VenueScene, key: str = "", secret: str = "") -> Any:
    """Return a ccxt.pro client."""
    return prepared(ccxt.pro.binanceusdm(settings(scene, key, secret)))


def spot_client(scene: VenueScene, key: str = "", secret: str = "", pro: bool = False) -> Any:
    """Return a ccxt client of the spot market, with ccxt's own table of the spot market's errors merged in."""
    http, socket = scene.config.rest_url, scene.config.websocket_url.removesuffix("/fstream")
    options = {"fetchMarkets": {"types": ["spot"]}, "fetchMargins": False, "defaultType": "spot"}
    kind = ccxt.pro.binance if pro else ccxt.binance
    exchange = kind(
        {
            "apiKey": key,
            "secret": secret,
            "enableRateLimit": False,
            "options": {**options, "fetchOpenOrders": {"warnWithoutSymbol": False}},
            "urls": {
                "api": {
                    "public": f"{http}/api/v3",
                    "private": f"{http}/api/v3",
                    "v1": f"{http}/api/v1",
                    "sapi": f"{http}/sapi/v1",
                    # ccxt takes a socket for one of the spot market by `/stream` in its address.
                    "ws": {"spot": f"{socket}/stream/ws", "ws-api": {"spot": f"{socket}/ws-api/v3"}},
                }
            },
        }
    )
    exchange.has["fetchCurrencies"] = False
    exchange.exceptions["exact"] = {**exchange.exceptions["exact"], **exchange.exceptions["spot"]["exact"]}
    return exchange
