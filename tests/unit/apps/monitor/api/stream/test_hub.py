"""The hub reads a topic once for all who follow it, and keeps nothing for those who are slow."""

import asyncio
from datetime import UTC, datetime

import orjson
import pytest

from apps.monitor.api.stream.asked import TOPICS_MOST, parse
from apps.monitor.api.stream.hub import Follower, Hub
from apps.monitor.api.stream.topics import Topic, Topics
from moondev.domain.clock import FixedClock
from moondev.domain.errors import InvalidValue

AT = datetime(2025, 7, 1, tzinfo=UTC)
FAST = 0.001


class World:
    """A hub over rows in memory."""

    def __init__(self):
        self.rows, self.reads, self.error = {"a": {"n": 0}}, 0, None
        self.topics = Topics((Topic("one", "x.view", FAST, None), Topic("bars", "x.view", FAST, None, ("SYMBOL",))))
        self.hub = Hub(self.read, FixedClock(AT))

    async def read(self, followed):
        self.reads += 1
        if self.error:
            raise self.error
        return dict(self.rows)

    def follow(self, name="one"):
        follower = Follower()
        self.hub.follow(follower, self.topics.find(name))
        return follower

    async def told(self, follower):
        async with asyncio.timeout(5):
            while True:
                await follower.any_news()
                for name in follower.take_news():
                    message = self.hub.message(follower, name)
                    if message:
                        return orjson.loads(message)


def run(test):
    async def alone():
        world = World()
        try:
            await test(world)
        finally:
            await world.hub.close()

    asyncio.run(alone())


def test_a_follower_gets_everything_first_and_then_what_changes():
    async def test(world):
        follower = world.follow()
        assert (await world.told(follower))["rows"] == {"a": {"n": 0}}
        world.rows["b"] = {"n": 1}
        told = await world.told(follower)
        assert (told["kind"], told["rows"], told["since"]) == ("delta", {"b": {"n": 1}}, 1)

    run(test)


def test_one_who_comes_later_gets_everything_without_another_read():
    async def test(world):
        await world.told(world.follow())
        late = world.follow()
        assert (await world.told(late))["kind"] == "snapshot"

    run(test)


def test_a_slow_follower_gets_one_message_for_all_it_missed():
    async def test(world):
        slow, quick = world.follow(), world.follow()
        await world.told(slow)
        await world.told(quick)
        for number in range(1, 20):
            world.rows["a"] = {"n": number}
            assert (await world.told(quick))["rows"] == {"a": {"n": number}}
        assert (await world.told(slow))["rows"] == {"a": {"n": 19}}
        assert world.hub.message(slow, "one") is None

    run(test)


def test_a_topic_that_nobody_follows_is_not_read():
    async def test(world):
        follower = world.follow()
        await world.told(follower)
        world.hub.leave_all(follower)
        await asyncio.sleep(0)
        reads = world.reads
        await asyncio.sleep(20 * FAST)
        assert world.reads == reads
        assert world.hub.followed == {}
        assert (await world.told(world.follow()))["kind"] == "snapshot"

    run(test)


def test_followers_are_told_when_a_topic_cannot_be_read_and_when_it_can_again(monkeypatch):
    monkeypatch.setattr("apps.monitor.api.stream.hub.TROUBLE_SECONDS", FAST)

    async def test(world):
        follower = world.follow()
        await world.told(follower)
        world.error = RuntimeError("away")
        told = await world.told(follower)
        assert (told["trouble"], told["rows"]) == ("RuntimeError: away", {})
        world.error = None
        assert (await world.told(follower))["trouble"] == ""

    run(test)


def test_nobody_follows_more_than_may_be():
    async def test(world):
        follower = Follower()
        for number in range(TOPICS_MOST):
            world.hub.follow(follower, world.topics.find(f"bars:{number}"))
        with pytest.raises(InvalidValue, match="at most 32"):
            world.hub.follow(follower, world.topics.find("one"))
        assert "one" not in world.hub.followed

    run(test)


@pytest.mark.parametrize("name", ["", "two", "one:more", "bars", "bars:a:b", "x" * 200])
def test_a_topic_that_does_not_exist_is_refused_by_name(name):
    with pytest.raises(InvalidValue, match="topic is"):
        World().topics.find(name)


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[]", "null", '{"do": "dance"}', '{"do": "subscribe"}', '{"do": "subscribe", "topics": []}',
        '{"do": "subscribe", "topics": ["a"], "more": 1}', '{"do": "subscribe", "topics": "fills"}',
        '{"do": "pace", "per_second": 1e9}', '{"do": "pace", "per_second": NaN}', '{"do": "pace", "per_second": 0}',
        '{"do": "subscribe", "topics": ["' + "a" * 5_000 + '"]}',
    ],
)  # fmt: skip
def test_what_no_client_may_say_is_refused(text):
    with pytest.raises(InvalidValue, match="allowed"):
        parse(text)
