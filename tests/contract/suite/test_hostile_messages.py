"""Whatever a venue sends, a stream survives it, counts it, and tells no price that nobody has told."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from apps.exchanges.ports import MarketSubscription, Stream
from apps.exchanges.venues.message_stream import LOGGED_IN_FULL
from apps.exchanges.venues.websocket import ConnectionSpent, SubscriptionRefused
from moondev.domain.clock import LiveClock
from moondev.domain.values import Side
from tests.contract.suite.ears import Ears, running
from tests.contract.suite.hostile import NONSENSE, bent, dialects, numbers_in, require_sound
from tests.contract.suite.orders import limit, market
from tests.contract.suite.scene import Trader, VenueScene

pytestmark = pytest.mark.contract

BENT_PER_DIALECT = 400


def recorded(stream: Stream, ears: Ears, happen: Callable[[], None]) -> list[list[bytes]]:
    """Return what every dialect of a stream is sent while something happens."""
    tapes: list[list[bytes]] = []
    for dialect in dialects(stream):
        tape: list[bytes] = []
        read = dialect.read

        def taped(message: bytes, received: Any, tape: list[bytes] = tape, read: Any = read) -> bool:
            tape.append(bytes(message))
            return bool(read(message, received))

        dialect.read = taped
        tapes.append(tape)
    with running(stream):
        ears.connected()
        happen()
    return tapes


def hostile_to(stream: Stream, tapes: list[list[bytes]], ears: Ears, chance: random.Random) -> int:
    """Feed bent messages to fresh dialects, among real ones; return how many were counted as unreadable."""
    for dialect, tape in zip(dialects(stream), tapes, strict=True):
        told: set[float] = set()
        dialect.opening()
        for number in range(BENT_PER_DIALECT):
            message = chance.choice(tape)
            if number % 3:
                message = bent(message, chance)
            told |= numbers_in(message)
            ears.clear()
            try:
                dialect.read(message, LiveClock().now())
            except (ConnectionSpent, SubscriptionRefused):
                dialect.opening()
            getattr(dialect, "replies", tuple)()
            for event in ears.of(object):
                require_sound(event, told)
    return stream.unreadable


@pytest.mark.parametrize("seed", range(2))
def test_the_public_stream_survives_anything(
    scene: VenueScene, trader: Trader, seed: int, caplog: pytest.LogCaptureFixture
) -> None:
    def wanted(ears: Ears) -> Stream:
        asked = MarketSubscription(scene.symbol(), candles=(timedelta(minutes=1),), best_quote=True)
        return scene.market_stream(ears, asked)

    def happen() -> None:
        for at in (49_992, 49_994):
            trader.place(limit(scene.key(), at=at))
        scene.trade("buy", "50010", "0.02")
        with scene.mark_at(50_050):
            pass
        trader.cancel(limit(scene.key()))

    survives(wanted, happen, seed, caplog, scene)


@pytest.mark.parametrize("seed", range(2))
def test_the_account_s_stream_survives_anything(
    scene: VenueScene, trader: Trader, seed: int, caplog: pytest.LogCaptureFixture
) -> None:
    def happen() -> None:
        trader.place(market(scene.key(), Side.BUY))
        trader.place(limit(scene.key()))

    survives(trader.user_stream, happen, seed, caplog, scene)


def survives(
    opened: Callable[[Ears], Stream],
    happen: Callable[[], None],
    seed: int,
    caplog: pytest.LogCaptureFixture,
    scene: VenueScene,
) -> None:
    """Record a stream, then send its like, bent, to another one."""
    ears = Ears()
    tapes = recorded(opened(ears), ears, happen)
    if not scene.venue.sockets:
        # It asks instead of listening: there is no dialect, and its answers are bent where they are read.
        assert tapes == []
        return
    assert all(tapes)
    caplog.clear()
    with caplog.at_level(logging.ERROR):
        unreadable = hostile_to(opened(ears), tapes, ears, random.Random(seed))
    assert unreadable > 10
    assert len(caplog.records) <= (LOGGED_IN_FULL + 5) * len(tapes), "odd messages flood the log"


def test_nonsense_is_not_json_only(scene: VenueScene, trader: Trader) -> None:
    """Hold every dialect to surviving bytes that are nothing at all."""
    ears = Ears()
    streams = [scene.market_stream(ears, MarketSubscription(scene.symbol())), trader.user_stream(ears)]
    for dialect in (one for stream in streams for one in dialects(stream)):
        dialect.opening()
        for text in (
            b"",
            b"\xff\xfe",
            b"null",
            b"[]",
            b"{}",
            b"0",
            b'"',
            b"[" * 10_000,
            *(repr(x).encode() for x in NONSENSE),
        ):
            try:
                dialect.read(text, LiveClock().now())
            except (ConnectionSpent, SubscriptionRefused):
                dialect.opening()
    assert ears.of(object) == []
