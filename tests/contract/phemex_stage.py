"""Phemex's mock on a stage: two accounts with keys, a quiet book, and the unmodified ccxt clients pointed at it."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import ccxt
import ccxt.pro
import requests

from apps.exchanges.mock.engine.api import InstrumentSpec
from apps.exchanges.mock.engine.exchange import Exchange
from apps.exchanges.mock.threaded import ThreadedMock, venues_in_thread
from apps.exchanges.mock.venues import VENUES
from apps.exchanges.mock.wire.config import WireConfig
from moondev.domain.clock import LiveClock

BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"
KEYS = (("key-one", "secret-one"), ("key-two", "secret-two"))
MARKS = {"BTC": Decimal(50_000), "ETH": Decimal(3_000)}
QUOTES = (("BTC", "49990", "50010", "5"), ("ETH", "2999", "3001", "50"))
JSON = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Stage:
    """A served Phemex."""

    mock: ThreadedMock

    @property
    def rest(self) -> str:
        """Return the base of every path."""
        return self.mock.url + "/phemex"

    @property
    def websocket(self) -> str:
        """Return the address of the socket."""
        return self.rest.replace("http", "ws", 1) + "/ws"

    def admin(self, path: str, /, method: str = "POST", **body: object) -> JSON:
        """Do something no client can."""
        url = f"{self.mock.url}/admin/{path}"
        answer = requests.request(method, url, json={"venue": "phemex", **body}, timeout=5)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def settings(self, who: int = 0) -> JSON:
        """Return what points a ccxt client at this venue."""
        base = self.rest
        addresses = {
            "v1": f"{base}/v1",
            "v2": base,
            "private": base,
            "public": f"{base}/exchange/public",
            "ws": self.websocket,
        }
        key, secret = KEYS[who]
        return {
            "apiKey": key,
            "secret": secret,
            "enableRateLimit": False,
            "urls": {"api": addresses},
            "options": {"defaultType": "swap"},
        }

    def client(self, who: int = 0) -> Any:
        """Return the unmodified ccxt client of an account."""
        return ccxt.phemex(self.settings(who))

    def streaming(self, who: int = 0) -> Any:
        """Return the unmodified streaming client of an account."""
        return ccxt.pro.phemex(self.settings(who))

    def signed(self, method: str, path: str, query: str = "", body: str = "", **given: object) -> requests.Response:
        """Send a request of our own making; `given` replaces expiry, key, secret or the path that is signed."""
        key, secret = KEYS[0]
        expiry = str(given.get("expiry", int(time.time()) + 60))
        text = f"{given.get('signed_path', path)}{query}{expiry}{body}"
        signature = hmac.new(str(given.get("secret", secret)).encode(), text.encode(), hashlib.sha256).hexdigest()
        headers = {
            "x-phemex-access-token": str(given.get("key", key)),
            "x-phemex-request-expiry": expiry,
            "x-phemex-request-signature": signature,
            "Content-Type": "application/json",
        }
        url = f"{self.rest}{path}{'?' if query else ''}{query}"
        return requests.request(method, url, data=body or None, headers=headers, timeout=5)


@contextmanager
def phemex_stage(**options: Any) -> Iterator[Stage]:
    """Serve Phemex with the options of WireConfig while the block runs."""
    clock, venue = LiveClock(), VENUES["phemex"]
    plain = (InstrumentSpec("BTC", 0, 5, 40), InstrumentSpec("ETH", 1, 4, 25))
    specs = [venue.spec(spec, MARKS[spec.coin]) for spec in plain]
    exchange = Exchange(specs, clock, MARKS, venue.engine())
    config = WireConfig(**{"book_interval_ms": 20, **options})
    with venues_in_thread({"phemex": exchange}, clock, config) as mock:
        stage = Stage(mock)
        for number, (key, secret) in enumerate(KEYS):
            stage.admin("accounts", address=f"account-{number}", deposit="100000", api_key=key, api_secret=secret)
        for coin, bid, offer, size in QUOTES:
            stage.admin("quote", coin=coin, side="buy", price=bid, size=size)
            stage.admin("quote", coin=coin, side="sell", price=offer, size=size)
        yield stage
