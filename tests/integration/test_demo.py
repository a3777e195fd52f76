"""The demo as people run it: one command, real processes, a report, and nothing left running."""

import re
from contextlib import ExitStack
from pathlib import Path

import pytest

from moondev.logs.lines import FIELDS
from tests.support.collector import collector
from tests.support.demo_runs import demo, environment_of, report_of, started_by
from tests.support.log_lines import log_lines
from tests.support.prometheus import PROGRAM, asks_all, prometheus

pytestmark = [pytest.mark.integration, pytest.mark.timeout(400)]


@pytest.fixture
def environment(tmp_path):
    return environment_of(tmp_path)


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
