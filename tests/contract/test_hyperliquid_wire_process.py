"""The mock as a process: it says when it is ready, serves at once, and leaves when told, whoever is on the line."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import requests
import websocket

pytestmark = pytest.mark.contract

ROOT = Path(__file__).resolve().parents[2]
ADDRESS = "0x" + "ab" * 20
START_SECONDS = 20.0
STOP_SECONDS = 5.0
RECORDING = ROOT / "../shared/data/ohlcv/hyperliquid-perp_BTCUSDC_1m_202507-202507.parquet"


@pytest.fixture
def process() -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "apps.exchanges.mock", "--port", "0", "--account", f"{ADDRESS}:2500"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as running:
        try:
            yield running
        finally:
            running.kill()


def test_it_starts_serves_a_moving_market_and_stops_with_clients_on_the_line(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    ready = process.stdout.readline()
    assert ready.startswith("mock exchange ready: hyperliquid")
    url = hyperliquid_at(ready)
    state = requests.post(f"{url}/info", json={"type": "clearinghouseState", "user": ADDRESS}, timeout=5).json()
    assert state["marginSummary"]["accountValue"] == "2500.0"
    book = requests.post(f"{url}/info", json={"type": "l2Book", "coin": "BTC"}, timeout=5).json()
    bid, ask = (float(side[0]["px"]) for side in book["levels"])
    assert 0 < (ask - bid) / bid < 0.001
    bars = {"coin": "ETH", "interval": "1m", "startTime": 0, "endTime": book["time"]}
    assert len(requests.post(f"{url}/info", json={"type": "candleSnapshot", "req": bars}, timeout=5).json()) >= 1_000
    with closing(websocket.create_connection(url.replace("http", "ws", 1) + "/ws", timeout=5)) as line:
        line.send('{"method":"subscribe","subscription":{"type":"l2Book","coin":"BTC"}}')
        assert line.recv() == "Websocket connection established."
        times = set()
        while len(times) < 3:
            message = line.recv()
            if message.startswith('{"channel":"l2Book"'):
                times.add(message.partition('"time":')[2].partition(",")[0])
        process.send_signal(signal.SIGTERM)
        assert process.wait(STOP_SECONDS) == 0


def test_closed_bars_on_the_wire_are_those_of_the_recording() -> None:
    if not RECORDING.exists():
        pytest.skip(f"no recorded candles at {RECORDING}")
    rows = {row["ts"]: row for row in pq.read_table(RECORDING).slice(300, 200).to_pylist()}
    command = [sys.executable, "-m", "apps.exchanges.mock", "--port", "0", "--feed", str(RECORDING), "--speed", "600"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdout is not None
            url = hyperliquid_at(running.stdout.readline())
            bars = bars_heard(url.replace("http", "ws", 1) + "/ws", 20)
        finally:
            running.kill()
    for bar in bars:
        row = rows[bar["t"]]
        for field, name in (("o", "open"), ("h", "high"), ("l", "low"), ("c", "close"), ("v", "volume")):
            assert float(bar[field]) == pytest.approx(row[name], rel=1e-9), (field, bar, row)


def hyperliquid_at(ready: str) -> str:
    """Return Hyperliquid's address from the line that says that the mock is ready."""
    (found,) = re.findall(r" at (http://\S+), control", ready)
    return f"{found}/hl"


def bars_heard(url: str, wanted: int) -> list[dict[str, Any]]:
    """Return the last state of each whole bar that a subscriber saw begin and end."""
    latest: dict[int, dict[str, Any]] = {}
    with closing(websocket.create_connection(url, timeout=5)) as line:
        line.send('{"method":"subscribe","subscription":{"type":"candle","coin":"BTC","interval":"1m"}}')
        line.recv()
        while len(latest) < wanted + 2:
            message = json.loads(line.recv())
            if message["channel"] == "candle":
                latest[message["data"]["t"]] = message["data"]
    return [latest[stamp] for stamp in sorted(latest)[:-1]]


def test_it_listens_on_this_machine_only(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    url = hyperliquid_at(process.stdout.readline())
    outside = url.replace("127.0.0.1", "127.0.0.2").removesuffix("/hl") + "/admin/health"
    with pytest.raises(requests.exceptions.ConnectionError):
        requests.get(outside, timeout=2)
