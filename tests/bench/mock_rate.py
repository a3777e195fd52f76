"""How many orders a second the mock exchange answers, wire by wire: signed requests over bare sockets.

The mock runs as a process of its own, as `python -m apps.exchanges.mock` starts it, with its rate limits off. Requests
are signed before the clock runs and sent over a few connections that stay open, with no HTTP client in between: what is
measured is the mock. Every order trades, so each is verified, matched, booked on both sides and told to the streams.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from itertools import count
from typing import Any
from urllib.parse import urlencode

import psutil
import requests

from apps.exchanges.mock.demo import KEY, SECRET, WALLET_KEY
from apps.exchanges.mock.engine.api import InstrumentSpec, NewOrder, Tif
from apps.exchanges.mock.engine.exchange import Exchange
from apps.exchanges.venues.hyperliquid.signing import Signer
from moondev.domain.clock import LiveClock, milliseconds
from tests.bench.figures import Spread
from tests.bench.results import Row, Section
from tests.bench.servers import BenchError

CONNECTIONS = 4
WARM_UP = 200
BATCH = 40
_PRICE, _SIZE, _DEPTH = "100000", "0.01", "5000"
_READY_SECONDS = 60.0
_NONCES = count(milliseconds(LiveClock().now()))


@dataclass(frozen=True, slots=True)
class Wire:
    """One way to send orders: the venue, how many of them are in a request, and how the n-th is signed."""

    name: str
    venue: str
    batch: int
    request: Callable[[int], bytes]


def run(requests_each: int = 2_000) -> list[Section]:
    """Measure every wire against one mock."""
    with _mock() as (url, process):
        rows = [_engine_alone(requests_each), *(_row(wire, url, process, requests_each) for wire in WIRES)]
    setting = f"{requests_each} signed requests each over {CONNECTIONS} connections, every order fills; limits off"
    return [Section("mock", setting, rows)]


@contextmanager
def _mock() -> Iterator[tuple[str, psutil.Process]]:
    command = [sys.executable, "-m", "apps.exchanges.mock", "--demo", "--port", "0", "--limits", "off"]
    command += ["--feed", "none", "--deposit", "1000000000", "--venues", "hyperliquid,binance,bybit"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            first = process.stdout.readline() if process.stdout else ""
            if "ready" not in first:
                raise BenchError(f"the mock did not start: {first!r}")
            url = first.split("control at ")[1].strip().removesuffix("/admin")
            for venue in ("hyperliquid", "binance", "bybit"):
                for side in ("buy", "sell"):
                    _quote(url, venue, side)
            yield url, psutil.Process(process.pid)
        finally:
            process.terminate()
            process.wait(30)


def _quote(url: str, venue: str, side: str) -> None:
    price = "99990" if side == "buy" else _PRICE
    body = {"venue": venue, "coin": "BTC", "side": side, "price": price, "size": _DEPTH}
    answer = requests.post(f"{url}/admin/quote", json=body, timeout=5)
    if answer.status_code != requests.codes.ok:
        raise BenchError(f"no market at {venue}: {answer.text}")


def _engine_alone(orders: int) -> Row:
    """Place the same orders at an engine in this process, without a wire: what matching and booking cost."""
    engine = Exchange([InstrumentSpec("BTC", 0, 5, 40)], LiveClock(), {"BTC": Decimal(_PRICE)})
    engine.open_account(KEY, Decimal(1_000_000_000))
    engine.open_account("other", Decimal(1_000_000_000))
    for side, price in ((True, "99990"), (False, _PRICE)):
        engine.place("other", [NewOrder("BTC", side, Decimal(_DEPTH), Decimal(price))])
    samples, began = list[float](), time.process_time()
    for number in range(orders):
        price = _PRICE if _is_buy(number) else "99990"
        order = NewOrder("BTC", _is_buy(number), Decimal(_SIZE), Decimal(price), Tif.IOC)
        start = time.perf_counter()
        engine.place(KEY, [order])
        samples.append((time.perf_counter() - start) * 1000)
    spent = time.process_time() - began
    if len(engine.fills(KEY)) != orders:
        raise BenchError(f"the engine filled {len(engine.fills(KEY))} of {orders} orders")
    note = f"{orders / spent:,.0f} per second of CPU"
    return Row("engine alone: one order a call", Spread.of(samples), cpu_ms=spent * 1000 / orders, note=note)


def _row(wire: Wire, url: str, process: psutil.Process, wanted: int) -> Row:
    requests_each = max(wanted // wire.batch, CONNECTIONS)
    host, port = url.removeprefix("http://").split(":")
    before = _fills(url, wire.venue)
    signed = [wire.request(number) for number in range(WARM_UP // wire.batch + requests_each)]
    warm, timed = signed[: len(signed) - requests_each], signed[len(signed) - requests_each :]
    asyncio.run(_send(host, int(port), warm))
    cpu, began = _cpu(process), time.perf_counter()
    samples = asyncio.run(_send(host, int(port), timed))
    elapsed, spent = time.perf_counter() - began, _cpu(process) - cpu
    orders = len(signed) * wire.batch
    filled = _fills(url, wire.venue) - before
    if filled != orders:
        raise BenchError(f"{wire.name}: {filled} of {orders} orders were filled")
    timed_orders = requests_each * wire.batch
    rate = timed_orders / elapsed
    note = f"{rate:,.0f} orders/s ({timed_orders / spent:,.0f} per second of the mock's own CPU)"
    facts = {"orders_per_s": rate, "orders": timed_orders, "seconds": elapsed}
    return Row(wire.name, Spread.of(samples), cpu_ms=spent * 1000 / timed_orders, note=note, facts=facts)


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _fills(url: str, venue: str) -> int:
    answer = requests.get(f"{url}/admin/state", json={"venue": venue}, timeout=10)
    return int(answer.json()["totals"]["fills"])


async def _send(host: str, port: int, messages: Sequence[bytes]) -> list[float]:
    """Send `messages`, each connection the next as soon as it has its answer; return milliseconds of each."""
    waiting, samples = iter(messages), list[float]()

    async def work() -> None:
        reader, writer = await asyncio.open_connection(host, port)
        for message in waiting:
            began = time.perf_counter()
            writer.write(message)
            head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 200"):
                raise BenchError(f"the mock answered {head[:200]!r}")
            await reader.readexactly(_length(head))
            samples.append((time.perf_counter() - began) * 1000)
        writer.close()
        await writer.wait_closed()

    await asyncio.gather(*(work() for _ in range(CONNECTIONS)))
    return samples


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    raise BenchError(f"an answer without a length: {head!r}")


def _post(path: str, body: bytes, **headers: str) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def _is_buy(number: int) -> bool:
    # In turn, so that no position grows and each side of the book is used as much as the other.
    return number % 2 == 0


def _hyperliquid(number: int, batch: int) -> bytes:
    signer = Signer(WALLET_KEY)
    order = {
        "a": 0,
        "b": _is_buy(number),
        "p": _PRICE if _is_buy(number) else "99990",
        "s": _SIZE,
        "r": False,
        "t": {"limit": {"tif": "Ioc"}},
    }
    action: dict[str, Any] = {"type": "order", "orders": [order] * batch, "grouping": "na"}
    nonce = next(_NONCES)
    signature = signer.sign_action(action, nonce, None, is_mainnet=False)
    body = {"action": action, "nonce": nonce, "signature": signature.wire(), "vaultAddress": None}
    return _post("/hl/exchange", json.dumps(body).encode(), Content_Type="application/json")


def _binance(number: int) -> bytes:
    order = {
        "symbol": "BTCUSDT",
        "side": "BUY" if _is_buy(number) else "SELL",
        "type": "MARKET",
        "quantity": _SIZE,
        "recvWindow": 60_000,
        "timestamp": milliseconds(LiveClock().now()),
    }
    text = urlencode(order)
    signature = hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).hexdigest()
    body = f"{text}&signature={signature}".encode()
    return _post("/binance/fapi/v1/order", body, Content_Type="application/x-www-form-urlencoded", X_MBX_APIKEY=KEY)


def _bybit(number: int) -> bytes:
    order = {
        "category": "linear",
        "symbol": "BTCUSDT",
        "side": "Buy" if _is_buy(number) else "Sell",
        "orderType": "Market",
        "qty": _SIZE,
    }
    body, now, window = json.dumps(order), str(milliseconds(LiveClock().now())), "60000"
    signature = hmac.new(SECRET.encode(), (now + KEY + window + body).encode(), hashlib.sha256).hexdigest()
    return _post(
        "/bybit/v5/order/create",
        body.encode(),
        Content_Type="application/json",
        X_BAPI_API_KEY=KEY,
        X_BAPI_TIMESTAMP=now,
        X_BAPI_RECV_WINDOW=window,
        X_BAPI_SIGN=signature,
    )


WIRES = (
    Wire("mock as Hyperliquid: one order a request", "hyperliquid", 1, lambda number: _hyperliquid(number, 1)),
    Wire(
        f"mock as Hyperliquid: {BATCH} orders a request",
        "hyperliquid",
        BATCH,
        lambda number: _hyperliquid(number, BATCH),
    ),
    Wire("mock as Binance: one order a request", "binance", 1, _binance),
    Wire("mock as Bybit: one order a request", "bybit", 1, _bybit),
)
