"""Say of a stage that has just ended how long it took, and below what it belongs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from moondev.domain.clock import monotonic, wall_nanoseconds
from moondev.traces.export import outlet
from moondev.traces.ids import chosen, of_request, span_id, trace_id, tracing

NANOSECONDS = 1_000_000_000
# The stage below which everything of a tick lies, and everything of a request.
TICK = ("tick",)
REQUEST = ("request",)


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage that is over. `subject`: the tick; `what` names it within, `parent` what it is below (empty: nothing).

    It took `seconds` of real time, and ended so many `ago`. `problem` is why it failed.
    """

    subject: str
    what: tuple[str, ...]
    parent: tuple[str, ...]
    seconds: float
    ago: float = 0.0
    about: Mapping[str, str | int | float] = field(default_factory=dict)
    problem: str = ""

    @property
    def trace(self) -> str:
        """Return the id of its trace."""
        return trace_id(self.subject)

    @property
    def span(self) -> str:
        """Return its own id."""
        return span_id(self.subject, *self.what)

    @property
    def parent_span(self) -> str:
        """Return the id of what it is below; empty for the uppermost."""
        return span_id(self.subject, *self.parent) if self.parent else ""


def stage_ended(stage: Stage) -> None:
    """Tell a stage. Does nothing while traces are off; never waits, and loses spans rather than hold up an order."""
    if tracing() and chosen(stage.subject):
        end = wall_nanoseconds() - round(max(stage.ago, 0.0) * NANOSECONDS)
        outlet().put(stage, end - round(max(stage.seconds, 0.0) * NANOSECONDS), end)


@contextmanager
def request_stage(request: str, *what: str, about: Mapping[str, str | int | float] | None = None) -> Iterator[None]:
    """Tell how long the block takes, as the request itself or, with `what`, as something done for it."""
    if not request or not tracing():
        yield
        return
    began, problem = monotonic(), ""
    try:
        yield
    except BaseException as error:
        problem = type(error).__name__
        raise
    finally:
        name, parent = (what, REQUEST) if what else (REQUEST, ())
        stage_ended(Stage(of_request(request), name, parent, monotonic() - began, 0.0, about or {}, problem))
