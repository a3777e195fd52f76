import threading

from apps.monitor.health.probes.probe import Answer, Probe
from apps.monitor.health.servers import Servers
from apps.monitor.health.states import State
from moondev.domain.clock import monotonic


def refuse():
    raise ConnectionRefusedError("nobody there\nwith more lines")


def test_a_server_that_hangs_keeps_nobody_waiting_and_is_not_asked_twice(monkeypatch):
    monkeypatch.setattr("apps.monitor.health.servers.LIMIT_SECONDS", 0.05)
    monkeypatch.setattr("apps.monitor.health.servers.KEPT_SECONDS", -1.0)
    release, asked = threading.Event(), []

    def hang():
        asked.append(1)
        release.wait(30)
        return Answer(State.OK)

    servers = Servers((Probe("stuck", hang), Probe("well", lambda: Answer(State.OK)), Probe("gone", refuse)))
    try:
        for _ in range(3):
            told = servers.look()
            assert told["stuck"].answer.state is State.DOWN
            assert told["stuck"].answer.detail.startswith("no answer for")
            assert told["stuck"].latency_ms is None
            assert told["well"].answer.state is State.OK
            assert told["gone"].answer == Answer(State.DOWN, "nobody there")
        assert len(asked) == 1
    finally:
        release.set()
    probe = servers._probes[0]
    probe.told(monotonic() + 30)
    # Once it has answered it is asked again, and believed.
    assert servers.look()["stuck"].answer.state is State.OK
    assert len(asked) == 2


def test_who_asks_too_often_is_told_the_same(monkeypatch):
    asked = []
    servers = Servers((Probe("well", lambda: asked.append(1) or Answer(State.OK)),))
    monkeypatch.setattr("apps.monitor.health.servers.KEPT_SECONDS", 3600.0)
    assert servers.look() is servers.look()
    assert len(asked) == 1
