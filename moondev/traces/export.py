"""Where spans go: to a collector, over HTTP, from a thread of its own. OpenTelemetry is imported when traces are on."""

from __future__ import annotations

import atexit
import socket
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

from django.conf import settings

from moondev.logs.redaction import redaction
from moondev.logs.setup import this_service

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.sdk.trace import SpanProcessor
    from opentelemetry.trace import SpanContext

# A collector that does not answer costs this long at the end of a process, per batch that waits.
TIMEOUT_SECONDS = 2.0
TEXT_CHARACTERS = 300


class Told(Protocol):
    """What is told of a stage; see `moondev.traces.spans.Stage`."""

    @property
    def what(self) -> tuple[str, ...]:
        """Return its name, and what tells it from others of the name."""

    @property
    def trace(self) -> str:
        """Return the id of its trace."""

    @property
    def span(self) -> str:
        """Return its own id."""

    @property
    def parent_span(self) -> str:
        """Return the id of what it is below; empty for the uppermost."""

    @property
    def about(self) -> Mapping[str, str | int | float]:
        """Return its attributes."""

    @property
    def problem(self) -> str:
        """Return why it failed; empty when it did not."""


class Outlet:
    """Hands spans to a processor, which sends them when it has some."""

    def __init__(self, processor: SpanProcessor) -> None:
        """Hand spans to `processor`."""
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415  only where traces are on
        from opentelemetry.sdk.util.instrumentation import InstrumentationScope  # noqa: PLC0415  an extra, and loaded only when on

        self._processor = processor
        self._scope = InstrumentationScope("moondev")
        self._resource = Resource({
            "service.name": this_service(),
            "service.namespace": "moondev",
            "host.name": socket.gethostname(),
        })  # fmt: skip

    def put(self, stage: Told, start_ns: int, end_ns: int) -> None:
        """Hand over one span."""
        from opentelemetry.sdk.trace import ReadableSpan  # noqa: PLC0415  an extra, and loaded only when on
        from opentelemetry.trace.status import Status, StatusCode  # noqa: PLC0415  an extra, and loaded only when on

        told = {key: _text(value) if isinstance(value, str) else value for key, value in stage.about.items()}
        failed = Status(StatusCode.ERROR, _text(stage.problem)) if stage.problem else Status(StatusCode.UNSET)
        span = ReadableSpan(
            stage.what[0],
            context=_context(stage.trace, stage.span),
            parent=_context(stage.trace, stage.parent_span) if stage.parent_span else None,
            resource=self._resource,
            attributes=told,
            status=failed,
            start_time=start_ns,
            end_time=end_ns,
            instrumentation_scope=self._scope,
        )
        self._processor.on_end(span)

    def close(self) -> None:
        """Send what is left."""
        self._processor.shutdown()


@lru_cache(maxsize=1)
def outlet() -> Outlet:
    """Return this process's way to the collector."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415  an extra, and loaded only when on
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415  an extra, and loaded only when on

    exporter = OTLPSpanExporter(endpoint=settings.MOONDEV_TRACES_ENDPOINT, timeout=TIMEOUT_SECONDS)
    made = Outlet(BatchSpanProcessor(exporter, schedule_delay_millis=1_000))
    atexit.register(made.close)
    return made


def outlet_close() -> None:
    """Send what is left, where anything was ever told: pool processes end without saying so to `atexit`."""
    if outlet.cache_info().currsize:
        outlet().close()


def _text(text: str) -> str:
    return redaction()(text)[:TEXT_CHARACTERS]


def _context(trace: str, span: str) -> SpanContext:
    from opentelemetry.trace import SpanContext, TraceFlags  # noqa: PLC0415  an extra, and loaded only when on

    flags = TraceFlags(TraceFlags.SAMPLED)
    return SpanContext(int(trace, 16), int(span, 16), is_remote=False, trace_flags=flags)
