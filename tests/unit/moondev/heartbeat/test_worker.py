from types import SimpleNamespace

import pytest
from celery.worker import state

from moondev.heartbeat import worker
from moondev.heartbeat.pulse import Pulse
from moondev.heartbeat.worker import WorkerHeart


class Heart:
    """Keeps what the worker would beat with."""

    def __init__(self, name):
        self.name, self.pulse, self.ended = name, Pulse(), False

    def start(self):
        return self.pulse

    def end(self):
        self.ended = True


class Timer:
    """The event loop's timer: it is the loop that calls what is due."""

    def __init__(self):
        self.due = []

    def call_repeatedly(self, seconds, call, arguments):
        entry = SimpleNamespace(cancel=self.due.clear)
        self.due.append(lambda: call(*arguments))
        return entry

    def loop_turns(self):
        for call in list(self.due):
            call()


@pytest.fixture
def consumer(monkeypatch):
    monkeypatch.setattr(worker, "Heart", Heart)
    return SimpleNamespace(
        hub=object(), timer=Timer(), hostname="orders-binance@host", pool=SimpleNamespace(limit=4), steps=[]
    )


def test_only_the_loop_turns_the_pulse(consumer):
    step = WorkerHeart(consumer)
    step.start(consumer)
    heart = step._heart
    assert (heart.name, heart.pulse.turned) == ("orders-binance", None)
    consumer.timer.loop_turns()
    first = heart.pulse.turned
    assert first is not None
    assert heart.pulse.load.slots == 4
    # The connection is lost: nothing turns until the loop is back, and the same heart beats on.
    step.stop(consumer)
    consumer.timer.loop_turns()
    assert heart.pulse.turned == first
    step.start(consumer)
    consumer.timer.loop_turns()
    assert heart.pulse.turned > first
    assert step._heart is heart
    step.shutdown(consumer)
    assert heart.ended


def test_what_was_taken_and_does_not_get_done_grows_old(consumer, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(worker, "monotonic", lambda: now[0])
    step = WorkerHeart(consumer)
    step.start(consumer)
    try:
        state.requests["stuck"] = object()
        consumer.timer.loop_turns()
        state.requests["quick"] = object()
        now[0] = 160.0
        consumer.timer.loop_turns()
        assert step._heart.pulse.load.busy == (60.0, 0.0)
        del state.requests["stuck"]
        consumer.timer.loop_turns()
        assert step._heart.pulse.load.busy == (0.0,)
    finally:
        state.requests.pop("stuck", None)
        state.requests.pop("quick", None)


def test_a_worker_without_an_event_loop_does_not_beat(consumer):
    consumer.hub = None
    step = WorkerHeart(consumer)
    step.start(consumer)
    assert step._heart is None
