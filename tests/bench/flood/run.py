"""How many market messages one stream process takes, and how long each needs to be readable in Redis."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from threading import Thread
from typing import Any

import psutil
from django.db import connections

from apps.exchanges.health.reports import venue_reports
from apps.exchanges.market_data.cache import redis_client, state_key
from apps.exchanges.market_data.wishes import wishes_set
from apps.exchanges.models import InstrumentRow, Venue
from apps.exchanges.models.venues import Environment
from moondev.domain.market_data import Needs
from tests.bench.figures import Spread
from tests.bench.flood.keeping import keeping_rows
from tests.bench.flood.reader import Reader
from tests.bench.flood.samples import Delays
from tests.bench.machine import Stopwatch, Usage, server_pids
from tests.bench.plan import VENUE, free_ports
from tests.bench.results import Row, Section
from tests.bench.servers import PROJECT, BenchError, Servers, start_afresh

SYMBOLS = tuple(f"C{number:03d}" for number in range(200))
MINUTE = timedelta(minutes=1)
PROMISED_RATE = 10_000
RAMP = (20_000, 30_000, 40_000, 50_000, 60_000, 80_000, 100_000)
BOOKS_RAMP = (10_000, 20_000, 30_000, 40_000)
PROMISED_MS = 10.0
# Of what was due, so much must have come through for a rate to count as held.
HELD_SHARE = 0.98
RAMP_S = 5.0
SETTLE_S = 1.0
DRAIN_S = 15.0
RUN_FOLDER = PROJECT / "bench-results" / "run"
_READY_S = 60.0


@dataclass(slots=True)
class Flood:
    """A source, a listener, and what the listener has said so far."""

    source: subprocess.Popen[str]
    listener: subprocess.Popen[str]
    ports: dict[str, int]
    said: list[dict[str, Any]] = field(default_factory=list)

    def tell(self, rate: float | str) -> dict[str, int]:
        """Set the source's pace; return what it has sent and should have sent until now."""
        assert self.source.stdin is not None
        assert self.source.stdout is not None
        self.source.stdin.write(f"rate {rate}\n")
        self.source.stdin.flush()
        answer: dict[str, int] = json.loads(self.source.stdout.readline())
        return answer

    def stopwatch(self) -> Stopwatch:
        """Return a stopwatch over source, listener and Redis."""
        pids = {"source": self.source.pid, "stream": self.listener.pid, **server_pids(self.ports)}
        return Stopwatch(lambda: pids)

    @property
    def messages(self) -> int:
        """Return how many events the listener has taken, by its last word."""
        return int(self.said[-1]["messages"]) if self.said else 0

    def drain(self, messages: int) -> None:
        """Wait until the listener has taken so many events; a loss shows as a listener that takes no more."""
        deadline = time.monotonic() + DRAIN_S
        while self.messages < messages and time.monotonic() < deadline:
            time.sleep(0.1)

    def wait(self, what: str, done: Callable[[], bool]) -> None:
        """Wait until `done`; raise BenchError when a process ends or it takes too long."""
        deadline = time.monotonic() + _READY_S
        while not done():
            if self.source.poll() is not None or self.listener.poll() is not None:
                raise BenchError(f"a process of the flood ended before {what}")
            if time.monotonic() > deadline:
                raise BenchError(f"waited {_READY_S:.0f} s for {what}")
            time.sleep(0.05)


@dataclass(frozen=True, slots=True)
class Phase:
    """What one pace came to. `per_second` is what became readable while it lasted; `lost` never did."""

    rate: float | str
    per_second: float
    offered_per_second: float
    lost: int
    delays: Delays
    usage: Usage
    resident_mb: tuple[float, float]
    seen: Spread

    @property
    def kept_up(self) -> bool:
        """Return whether everything due became readable as fast as it came."""
        due = self.offered_per_second if isinstance(self.rate, str) else self.rate
        return not self.lost and self.per_second >= HELD_SHARE * due

    @property
    def verdict(self) -> str:
        """Return in words whether the promise held."""
        p99 = self.delays.spread().p99
        if not self.kept_up:
            return "fell behind"
        return "held" if p99 is not None and p99 < PROMISED_MS else f"kept up, p99 over {PROMISED_MS:.0f} ms"


def run(servers: Servers, seconds: float) -> list[Section]:
    """Measure the promised rate for `seconds`, then how far it goes, then what keeping the data costs."""
    sections = []
    with flood_of("mixed", servers) as flood:
        rows = [_row(phase_of(flood, PROMISED_RATE, seconds))]
        rows += _ramp(flood, RAMP)
    setting = f"one stream process, {len(SYMBOLS)} symbols; 20 % books of 20 levels a side, 35 % trades, 35 % candles"
    sections.append(Section("ingestion", f"{setting}, 10 % marks, as Hyperliquid writes them", rows))
    with flood_of("books", servers) as flood:
        rows = _ramp(flood, BOOKS_RAMP)
    sections.append(Section("ingestion of books", f"{len(SYMBOLS)} symbols, every message 20 levels a side", rows))
    sections.append(Section("keeping", "this process alone, synthetic rows", keeping_rows()))
    return sections


@contextmanager
def flood_of(mix: str, servers: Servers) -> Iterator[Flood]:
    """Run source and listener on a fresh database while the block runs, subscribed and ready."""
    socket_port, http_port = free_ports(2)
    _seed(servers, socket_port, http_port)
    symbols = ",".join(SYMBOLS)
    words = ["--socket-port", str(socket_port), "--http-port", str(http_port), "--symbols", symbols, "--mix", mix]
    with (
        _process("tests.bench.flood.source", *words, stdin=subprocess.PIPE) as source,
        _process("tests.bench.flood.listener") as listener,
    ):
        flood = Flood(source, listener, {"redis": servers.ports["redis"]})
        Thread(target=_hear, args=(flood,), daemon=True).start()
        flood.wait("the stream was connected", lambda: bool(flood.said) and _connected())
        yield flood


def phase_of(flood: Flood, rate: float | str, seconds: float) -> Phase:
    """Let the source send at a pace for so long, let it drain, and say what came of it."""
    before, heard_before = flood.tell(rate)["sent"], flood.messages
    time.sleep(SETTLE_S)
    listening, began, stopwatch = psutil.Process(flood.listener.pid), time.time(), flood.stopwatch()
    memory = listening.memory_info().rss
    with Reader(redis_client(), [state_key(f"{VENUE}:{symbol}") for symbol in SYMBOLS[:4]]) as reader:
        time.sleep(seconds)
    usage, ended, after = stopwatch.read(), time.time(), flood.tell(0)
    memories = (memory / 1e6, listening.memory_info().rss / 1e6)
    sent = after["sent"] - before
    flood.drain(heard_before + sent)
    window = [said for said in flood.said if began + 1.0 <= said["at"] <= ended]
    delays = Delays()
    for said in window:
        delays.add(((int(number), count) for number, count in said["counts"].items()), said["worst"])
    spent = window[-1]["at"] - window[0]["at"] if len(window) > 1 else 0.0
    per_second = (window[-1]["messages"] - window[0]["messages"]) / spent if spent else 0.0
    offered = (after["planned"] - before) / (ended - began + SETTLE_S)
    lost = heard_before + sent - flood.messages
    return Phase(rate, per_second, offered, lost, delays, usage, memories, Spread.of(reader.delays_ms))


def _ramp(flood: Flood, rates: Sequence[float]) -> list[Row]:
    """Return a row per pace until one is too much, and how much came through when there was always more."""
    rows = []
    for rate in rates:
        phase = phase_of(flood, rate, RAMP_S)
        rows.append(_row(phase))
        if not phase.kept_up:
            break
    return [*rows, _row(phase_of(flood, "flat", RAMP_S))]


def _row(phase: Phase) -> Row:
    stream = phase.usage.processes["stream"]
    share = 100 * stream.cpu_s / phase.usage.wall_s
    heard = phase.per_second * phase.usage.wall_s
    start, end = phase.resident_mb
    note = (
        f"{phase.per_second:,.0f}/s {phase.verdict}, {phase.lost} lost; "
        f"stream {share:.0f} % of a core, {start:.0f} -> {end:.0f} MB; "
        f"sent -> read elsewhere {_ms(phase.seen.median)} / {_ms(phase.seen.p99)} ms"
    )
    name = "as fast as it takes" if phase.rate == "flat" else f"{phase.rate:,}/s offered"
    facts = {
        "per_second": phase.per_second, "verdict": phase.verdict, "lost": phase.lost, "stream_core_percent": share,
        "resident_mb": phase.resident_mb, "sent_to_read_elsewhere_ms": phase.seen,
    }  # fmt: skip
    return Row(name, phase.delays.spread(), phase.usage, stream.cpu_s * 1000 / heard if heard else None, note, facts)


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


@contextmanager
def _process(module: str, *words: str, stdin: int | None = None) -> Iterator[subprocess.Popen[str]]:
    RUN_FOLDER.mkdir(parents=True, exist_ok=True)
    with (RUN_FOLDER / f"{module}.log").open("w") as log:
        command = [sys.executable, "-m", module, *words]
        process = subprocess.Popen(
            command, cwd=PROJECT, env=os.environ, stdin=stdin, stdout=subprocess.PIPE, stderr=log, text=True
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _hear(flood: Flood) -> None:
    assert flood.listener.stdout is not None
    for line in flood.listener.stdout:
        flood.said.append(json.loads(line))


def _seed(servers: Servers, socket_port: int, http_port: int) -> None:
    """Write the venue, its instruments, and somebody's wish for all of them."""
    connections.close_all()
    start_afresh(servers)
    venue = Venue.objects.create(
        code=VENUE, protocol="hyperliquid", environment=Environment.PAPER,
        rest_url=f"http://127.0.0.1:{http_port}", websocket_url=f"ws://127.0.0.1:{socket_port}/ws",
    )  # fmt: skip
    InstrumentRow.objects.bulk_create(
        [
            InstrumentRow(venue=venue, symbol=symbol, asset=symbol, quote="USDC", venue_asset_id=str(number),
                          tick=Decimal("0.0001"), lot=Decimal("0.001"))
            for number, symbol in enumerate(SYMBOLS)
        ]
    )  # fmt: skip
    wishes_set("bench", Needs(tuple(f"{VENUE}:{symbol}" for symbol in SYMBOLS), {MINUTE: 50}, book=True))
    connections.close_all()


def _connected() -> bool:
    report = venue_reports(redis_client(), [VENUE])[VENUE]
    return bool(report.connected)
