import asyncio

import pytest

from apps.monitor.health.slos import api_meter
from apps.monitor.health.slos.api_meter import FAILED, SLOWER, ApiMeter, api_counts, bucket


class Kept:
    """What Redis would hold of the counts."""

    def __init__(self, **counts):
        self.counts = {name.encode(): str(count).encode() for name, count in counts.items()}

    def hgetall(self, key):
        return self.counts if key == api_meter.KEY else {}


def test_a_request_counts_under_the_bound_it_kept():
    assert [bucket(ms, 200) for ms in (0.2, 5, 5.1, 100, 2500, 2501)] == ["5", "5", "10", "100", "2500", SLOWER]
    # What the caller did wrong was answered; what we did wrong was not.
    assert (bucket(3, 404), bucket(3, 500), bucket(3, 503)) == ("5", FAILED, FAILED)


def test_a_threshold_divides_what_was_counted():
    kept = Kept(**{"5": 10, "100": 20, "250": 3, SLOWER: 2, FAILED: 1})
    assert (api_counts(kept, 100).good, api_counts(kept, 100).total) == (30, 36)
    # Between two bounds the lower one counts: nobody is said to have been quicker than is known.
    assert api_counts(kept, 99).good == 10
    assert (api_counts(Kept(), 100).good, api_counts(Kept(), 100).total) == (0, 0)


def test_every_answer_is_counted_even_one_that_never_came(monkeypatch):
    added = []
    monkeypatch.setattr(api_meter, "FLUSH_SECONDS", 0.0)
    monkeypatch.setattr(api_meter, "_add", lambda counts: added.append(dict(counts)))

    async def app(scope, receive, send):
        if scope["path"] == "/breaks":
            raise RuntimeError("no")
        await send({"type": "http.response.start", "status": scope["status"], "headers": []})

    async def ask():
        meter, told = ApiMeter(app), []

        async def send(message):
            told.append(message["status"])

        for status in (200, 403, 503):
            await meter({"type": "http", "path": "/", "status": status}, None, send)
        with pytest.raises(RuntimeError):
            await meter({"type": "http", "path": "/breaks"}, None, send)
        await meter._flushing
        return told

    assert asyncio.run(ask()) == [200, 403, 503]
    assert sum(sum(counts.values()) for counts in added) == 4
    assert added[0][FAILED] == 2
