import subprocess
import sys
from pathlib import Path

import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace.status import StatusCode

from moondev.logs import log_context
from moondev.logs.context import current
from moondev.traces import spans
from moondev.traces.export import Outlet
from moondev.traces.ids import chosen, of_request, span_id, trace_about, trace_id
from moondev.traces.spans import TICK, Stage, request_stage, stage_ended

PROJECT_ROOT = Path(__file__).resolve().parents[4]


@pytest.fixture
def told(settings, monkeypatch):
    """What has been told, with traces on."""
    settings.MOONDEV_TRACES_ENDPOINT = "http://127.0.0.1:9/v1/traces"
    exporter = InMemorySpanExporter()
    made = Outlet(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(spans, "outlet", lambda: made)
    return exporter.get_finished_spans


def test_stages_told_apart_from_each_other_make_one_tree(told):
    stage_ended(Stage("7", ("fill", "c-1", "0.5"), ("send", "c-1"), 0.25, about={"venue": "mock"}))
    stage_ended(Stage("7", ("send", "c-1"), ("record",), 0.5, problem="password=hunter2 " + "x" * 999))
    stage_ended(Stage("7", TICK, (), 2.0, ago=1.0))
    fill, send, tick = told()
    assert {span.context.trace_id for span in told()} == {int(trace_id("7"), 16)}
    assert fill.parent.span_id == send.context.span_id == int(span_id("7", "send", "c-1"), 16)
    assert send.parent.span_id == int(span_id("7", "record"), 16)
    assert tick.parent is None
    assert (fill.name, dict(fill.attributes)) == ("fill", {"venue": "mock"})
    assert fill.end_time - fill.start_time == 250_000_000
    assert tick.end_time - tick.start_time == 2_000_000_000
    # It ended a second before it was told; the other, told before it, just when it was.
    assert tick.end_time < send.end_time
    assert send.status.status_code is StatusCode.ERROR
    assert send.status.description.startswith("password=*** x")
    assert len(send.status.description) == 300
    assert fill.status.status_code is StatusCode.UNSET


def test_a_request_and_what_is_done_for_it_are_one_trace(told):
    with pytest.raises(LookupError), request_stage("r-1", "exchanges.orders_veto", "t-1"):
        raise LookupError
    with request_stage("r-1", about={"method": "POST"}):
        pass
    with request_stage(""):
        pass
    task, request = told()
    assert task.context.trace_id == request.context.trace_id == int(trace_id(of_request("r-1")), 16)
    assert task.parent.span_id == request.context.span_id
    assert (task.name, request.name) == ("exchanges.orders_veto", "request")
    assert task.status.description == "LookupError"


def test_a_line_names_the_trace_it_belongs_to(told, settings):
    with log_context(request="r-1"):
        assert trace_about(current()) == trace_id(of_request("r-1"))
        with log_context(tick="7"):
            assert trace_about(current()) == trace_id("7")
    assert trace_about({}) == ""
    settings.MOONDEV_TRACES_PERCENT = 0
    assert trace_about({"tick": "7"}) == ""
    settings.MOONDEV_TRACES_ENDPOINT = ""
    settings.MOONDEV_TRACES_PERCENT = 100
    assert trace_about({"tick": "7"}) == ""


def test_some_in_a_hundred_are_traced_the_same_ones_everywhere(told, settings):
    settings.MOONDEV_TRACES_PERCENT = 25
    traced = [tick for tick in map(str, range(2_000)) if chosen(tick)]
    assert 400 < len(traced) < 600
    for tick in map(str, range(200)):
        stage_ended(Stage(tick, TICK, (), 0.1, about={"tick": tick}))
    assert [span.attributes["tick"] for span in told()] == [tick for tick in traced if int(tick) < 200]


def test_ids_are_of_the_size_that_traces_have_and_of_this_platform_only(settings):
    mine = trace_id("7")
    assert len(mine) == 32
    assert len(span_id("7", "tick")) == 16
    assert trace_id("8") != mine
    assert span_id("7", "a", "b") != span_id("7", "ab")
    settings.SECRET_KEY = "another platform's"
    trace_id.cache_clear()
    assert trace_id("7") != mine
    trace_id.cache_clear()


def test_nothing_of_it_is_imported_while_traces_are_off():
    script = (
        "import django; django.setup()\n"
        "import moondev.celery, apps.strategies.orchestrator.tick, apps.exchanges.execution.delivery, sys\n"
        "from moondev.traces.spans import TICK, Stage, stage_ended\n"
        "stage_ended(Stage('7', TICK, (), 1.0))\n"
        "print([name for name in sys.modules if name.startswith(('opentelemetry.sdk.t', 'opentelemetry.ex'))])\n"
    )
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
