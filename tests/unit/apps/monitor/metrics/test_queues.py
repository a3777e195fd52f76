"""How long the oldest message of a queue has waited at most, on a broker that does not tell."""

from __future__ import annotations

import pytest

from apps.monitor.metrics.sources import queues as module
from apps.monitor.metrics.sources.queues import Queues
from moondev.domain.errors import Connectivity


class Broker:
    lengths = {}

    def read(self):
        return self.lengths

    def close(self):
        self.lengths = None


class Now:
    at = 1_000.0

    def now(self):
        return self

    def timestamp(self):
        return self.at


@pytest.fixture
def broker(monkeypatch):
    broker, now = Broker(), Now()
    monkeypatch.setattr(module, "QueueLengths", lambda: broker)
    monkeypatch.setattr(module, "LiveClock", lambda: now)
    return broker, now


def test_a_message_is_no_older_than_the_last_empty_look_or_the_newest_that_was_taken(broker):
    (broker, now), queues = broker, Queues()

    def age(length, newest=None):
        broker.lengths = {"ticks": length}
        lengths, ages = queues.read({} if newest is None else {"ticks": newest})
        assert lengths.samples[0].value == length
        return ages.samples[0].value

    # Nothing is known of what was there before we looked first.
    assert age(3) == 0
    now.at += 10
    assert age(3) == 10
    # Somebody takes one that was sent four seconds ago: what waits was sent later.
    assert age(3, newest=now.at - 4) == 4
    assert age(0) == 0
    now.at += 30
    # It was empty half a minute ago, whatever was taken long before.
    assert age(1, newest=now.at - 500) == 30
    # Another machine's clock is a little ahead.
    assert age(1, newest=now.at + 2) == 0


def test_a_broker_that_is_away_is_no_empty_queue(broker):
    queues = Queues()
    broker[0].lengths = None
    with pytest.raises(Connectivity, match="the broker does not answer"):
        list(queues.read({}))
