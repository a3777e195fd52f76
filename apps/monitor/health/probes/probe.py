"""One question to one server, asked in a thread of its own, so that one that hangs keeps nobody waiting."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from apps.monitor.health.states import State
from moondev.domain.clock import monotonic

logger = logging.getLogger(__name__)

# An answer that took longer is one, but not a good one.
SLOW_MS = 1000.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said of itself: `started` is when it began to run, `consumers` who reads each of its queues."""

    state: State
    detail: str = ""
    started: datetime | None = None
    consumers: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Told:
    """An answer and how long it took; None: there was none in time."""

    answer: Answer
    latency_ms: float | None = None


class Probe:
    """Asks again and again, but never a second time while the first has no answer."""

    def __init__(self, name: str, ask: Callable[[], Answer], slow_ms: float = SLOW_MS) -> None:
        """Ask by calling `ask`; whatever it raises says that the server is down, and more than `slow_ms` degraded."""
        self.name, self._ask, self._slow_ms = name, ask, slow_ms
        self._thread: threading.Thread | None = None
        self._asked = 0.0
        self._told: Told | None = None

    def begin(self) -> None:
        """Ask, unless the last question is still open."""
        if self._thread is not None and self._thread.is_alive():
            return
        self._asked, self._told = monotonic(), None
        # A daemon: a server that never answers must not keep our process from ending.
        self._thread = threading.Thread(target=self._run, name=f"probe-{self.name}", daemon=True)
        self._thread.start()

    def told(self, until: float) -> Told:
        """Return the answer once it is there, or at the monotonic moment `until` that there is none."""
        if self._thread is not None:
            self._thread.join(max(until - monotonic(), 0.0))
        return self._told or Told(Answer(State.DOWN, f"no answer for {monotonic() - self._asked:.1f} s"))

    def _run(self) -> None:
        asked = monotonic()
        try:
            answer = self._ask()
        except Exception as error:  # noqa: BLE001  whatever it is, it is why the server cannot be used
            logger.debug("%s: %s", self.name, error)
            answer = Answer(State.DOWN, str(error).strip().partition("\n")[0] or type(error).__name__)
        latency_ms = (monotonic() - asked) * 1000
        if answer.state is State.OK and latency_ms > self._slow_ms:
            answer = Answer(State.DEGRADED, f"answers in {latency_ms:.0f} ms", answer.started, answer.consumers)
        self._told = Told(answer, round(latency_ms, 1))
