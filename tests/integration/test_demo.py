"""The demo as people run it: one command, real processes, a report, and nothing left running."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from moondev.logs.lines import FIELDS
from moondev.servers.probes import free_port
from tests.support.collector import collector
from tests.support.log_lines import log_lines
from tests.support.prometheus import PROGRAM, asks_all, prometheus

PROJECT_ROOT = Path(__file__).resolve().parents[2]
RECORDING = PROJECT_ROOT.parent / "shared/data/ohlcv/hyperliquid-perp_BTCUSDC_1m_202507-202507.parquet"

pytestmark = [pytest.mark.integration, pytest.mark.timeout(400)]


@pytest.fixture
def environment(tmp_path):
    """A run folder and ports of this test's own, and none of the servers that other tests use."""
    kept = {
        k: v for k, v in os.environ.items() if k not in {"DATABASE_URL", "BROKER_URL", "REDIS_URL", "MOONDEV_CLOCK"}
    }
    ports = {name: str(free_port()) for name in ("MOCK_PORT", "WEB_PORT", "METRICS_PORT")}
    return {**kept, **ports, "MOONDEV_RUN_DIR": str(tmp_path / "run"), "DJANGO_SETTINGS_MODULE": "moondev.settings.dev"}


def demo(environment, *arguments, **options):
    command = [sys.executable, "manage.py", "demo", *arguments]
    return subprocess.Popen(
        command,
        cwd=PROJECT_ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        **options,
    )


def started_by(environment):
    """Return the command lines of running processes that carry this run's mock port in their environment."""
    mark = f"MOCK_PORT={environment['MOCK_PORT']}".encode()
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (entry / "environ").read_bytes().split(b"\0"):
                found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return found


def report_of(output):
    return json.loads(output.strip().splitlines()[-1])


def test_a_timed_run_trades_and_its_books_equal_the_venues(environment, tmp_path):
    with ExitStack() as beside:
        traced = beside.enter_context(collector())
        watching = PROGRAM and beside.enter_context(prometheus(tmp_path / "prometheus", environment["METRICS_PORT"]))
        told = {"LOG_STYLE": "json", "MOONDEV_TRACES_ENDPOINT": traced.endpoint}
        with demo({**environment, **told}, "--for", "20") as run:
            output, _ = run.communicate(timeout=300)
        assert run.returncode == 0, output
        # Without the program (docker/metrics installs it) nobody has watched.
        if watching:
            asks_all(watching)
    report = report_of(output)
    assert report["ledger_minus_venue"] == 0
    assert report["ticks"] > 0
    assert report["orders"] > 0
    assert report["fills"] > 0
    assert report["open_orders"] == 0
    assert not any(report["restarts"].values())
    for account in report["accounts"].values():
        assert account["ledger"] == account["venue"]
    # A process that is slow to start is unknown as yet; none that works is down. Servers may be slow to answer here.
    servers = {"broker", "database", "migrations", "redis"}
    processes = {name: how for name, how in report["health"].items() if name not in servers}
    assert "down" not in processes.values(), processes
    assert (processes["ticks"], processes["dispatcher"]) == ("ok", "ok")
    assert f"http://localhost:{environment['WEB_PORT']}/admin/" in output
    assert started_by(environment) == []
    logs = Path(environment["MOONDEV_RUN_DIR"]) / "logs"
    password = re.search(r"/admin/ +login \S+ / (\S+)", output).group(1)
    assert not any(password in path.read_text(encoding="utf-8") for path in logs.glob("*.log"))
    filled = the_lines_tell_the_life_of_an_order(log_lines(logs))
    the_trace_shows_the_same_life(traced, filled)


def the_lines_tell_the_life_of_an_order(lines):
    """One search for a tick finds its order in every process that had it in hand, from the decision to the fill."""
    filled = next(line for line in lines if line["message"].startswith("order ") and "-> filled" in line["message"])
    life = [line for line in lines if line.get("tick") == filled["tick"]]
    steps = [line["message"].split(":")[0] for line in life if line.get("client_order") == filled["client_order"]]
    assert steps[:2] == ["order created -> approved (tick)", "order approved -> sending (send)"]
    assert steps[-1].startswith("order ")
    assert "-> filled" in steps[-1]
    assert {"ticks", "orders-hyperliquid"} <= {line["service.name"] for line in life}
    assert any(line["message"].startswith("tick done") and " placed" in line["message"] for line in life)
    for name in ("strategy", "venue", "trace.id"):
        assert {line[name] for line in life if name in line} == {filled[name]}
    assert all(set(line) <= set(FIELDS) for line in lines)
    return filled


def the_trace_shows_the_same_life(traced, filled):
    """One trace holds the order's life, each stage below the one it came of, from whatever process told it."""
    spans = traced.traces()[filled["trace.id"]]
    named = {span.name: span for span in spans if span.name not in {"send", "acknowledge", "fill"}}
    tick = named["tick"]
    assert tick.parent == ""
    assert tick.about["tick"] == filled["tick"]
    for name in ("load", "decide", "plan", "review", "record"):
        assert named[name].parent == tick.span, name
        assert named[name].service == "ticks"
    sent = {span.span: span for span in spans if span.name == "send"}
    assert {span.parent for span in sent.values()} == {named["record"].span}
    assert {span.service for span in sent.values()} == {"orders-hyperliquid"}
    fills = [span for span in spans if span.name == "fill"]
    acknowledged = [span for span in spans if span.name == "acknowledge"]
    assert fills
    assert {span.parent for span in fills} <= {span.parent for span in acknowledged} <= set(sent)
    assert all(span.start_ns <= span.end_ns for span in spans)


def test_an_outage_of_one_venue_moves_new_risk_and_leaves_no_trace_in_the_books(environment):
    with demo(environment, "--for", "32", "--venues", "binance,bybit", "--outage", "binance:8:12") as run:
        output, _ = run.communicate(timeout=350)
    assert run.returncode == 0, output
    assert "binance stops answering for 12 s" in output
    assert "binance answers again" in output
    assert "binance down" in output.partition("stops answering")[2]
    report = report_of(output)
    assert set(report["venues"]) == {"binance", "bybit"}
    for venue in report["venues"].values():
        assert venue["fills"] > 0
        assert venue["ledger_minus_venue"] == 0
    # Somebody would have been told.
    assert report["alerts"]["venue-down"] > 0
    # What quotes at Binance went on at the venue that stands in for it.
    assert report["venues"]["bybit"]["stood_in"] > 0
    assert report["open_orders"] == 0
    assert not any(report["restarts"].values())
    assert started_by(environment) == []


@pytest.mark.skipif(not RECORDING.is_file(), reason="needs the recorded candles beside the project")
def test_a_recording_is_replayed_at_speed(environment):
    with demo(environment, "--for", "20", "--feed", str(RECORDING), "--speed", "120") as run:
        output, _ = run.communicate(timeout=300)
    assert run.returncode == 0, output
    report = report_of(output)
    assert report["ledger_minus_venue"] == 0
    assert report["fills"] > 0
    assert started_by(environment) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_everything(environment, number):
    with demo(environment, start_new_session=True) as run:
        for line in run.stdout:
            if line.startswith("strategies:"):
                break
        time.sleep(2)
        assert len(started_by(environment)) > 10
        run.send_signal(number)
        output, _ = run.communicate(timeout=60)
    assert run.returncode != 1, output
    assert started_by(environment) == []


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--for", "0"], "--for is 0.0; allowed: seconds above 0"),
        (["--for", "nan"], "--for is nan; allowed: seconds above 0"),
        (["--speed", "60"], "--speed needs --feed"),
        (["--feed", "/nowhere.parquet"], "--feed is /nowhere.parquet; there is no such file"),
        (["--feed", __file__], "allowed: a readable Parquet file"),
    ],
)
def test_nonsense_is_refused_before_anything_is_started(environment, arguments, sentence):
    with demo(environment, *arguments) as run:
        output, _ = run.communicate(timeout=60)
    assert run.returncode == 1
    assert sentence in output
    assert "Traceback" not in output
    assert started_by(environment) == []
