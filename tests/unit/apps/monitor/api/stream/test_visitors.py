"""A crowd that shows the same token at the same moment is looked up once; what was refused is asked again."""

from __future__ import annotations

import asyncio
import threading

import pytest
from starlette.exceptions import HTTPException
from starlette.websockets import WebSocket

from apps.monitor.api.stream import visitors
from apps.monitor.api.stream.topics import Topic, Topics


class Person:
    def may(self, permission):
        return permission == "seen"


class Register:
    """Knows one token; answers when it is let, and counts who asked."""

    def __init__(self, monkeypatch):
        self.asked, self.known, self.open = [], {b"good"}, threading.Event()
        monkeypatch.setattr(visitors, "identify", self.identify)

    def identify(self, scope):
        said = dict(scope["headers"])[b"authorization"]
        self.asked.append(said)
        assert self.open.wait(10)
        if said not in self.known:
            raise HTTPException(401, "nobody")
        return Person()


@pytest.fixture
def register(monkeypatch):
    return Register(monkeypatch)


def socket(token: bytes) -> WebSocket:
    async def nothing(*_):
        raise AssertionError

    scope = {"type": "websocket", "headers": [(b"authorization", token)], "client": ("127.0.0.1", 1), "path": "/"}
    return WebSocket(scope, nothing, nothing)


def followed() -> Topics:
    return Topics((Topic("shown", "seen", 1.0, lambda *_: {}), Topic("hidden", "unseen", 1.0, lambda *_: {})))


async def _together(tokens, register, people):
    asking = [asyncio.ensure_future(people.topics_for(socket(token))) for token in tokens]
    await asyncio.sleep(0)
    register.open.set()
    return await asyncio.gather(*asking, return_exceptions=True)


def test_many_with_one_token_are_looked_up_once_and_each_hears_the_answer(register):
    people = visitors.Visitors(followed())
    told = asyncio.run(_together([b"good"] * 50, register, people))
    assert told == [frozenset({"shown"})] * 50
    assert register.asked == [b"good"]


def test_each_token_is_looked_up_for_itself_and_a_refusal_is_not_remembered(register):
    people = visitors.Visitors(followed())

    async def story():
        first = await _together([b"bad", b"good", b"bad"], register, people)
        register.known.add(b"bad")
        return first, await people.topics_for(socket(b"bad"))

    (refused, let_in, as_well), later = asyncio.run(story())
    assert (refused.status_code, as_well.status_code) == (401, 401)
    assert let_in == later == frozenset({"shown"})
    assert sorted(register.asked) == [b"bad", b"bad", b"good"]


def test_one_that_leaves_while_it_is_looked_up_takes_nobody_with_it(register):
    people = visitors.Visitors(followed())

    async def story():
        leaving, staying = (asyncio.ensure_future(people.topics_for(socket(b"good"))) for _ in range(2))
        await asyncio.sleep(0)
        leaving.cancel()
        await asyncio.sleep(0)
        register.open.set()
        return await staying

    assert asyncio.run(story()) == frozenset({"shown"})
