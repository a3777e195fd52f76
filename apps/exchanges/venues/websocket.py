"""A websocket that stays up: it reconnects, opens its subscriptions again and notices silence.

What a venue says in words (subscriptions, pings, acknowledgements) comes from a `Dialect`; what is
the same everywhere is here. https://picows.readthedocs.io
"""

from __future__ import annotations

import asyncio
import logging
import random
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from picows import WSError, WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from apps.exchanges.ports import Connected, Disconnected, Refused
from moondev.domain.clock import Clock, monotonic
from moondev.domain.errors import TradingError

logger = logging.getLogger(__name__)

MAX_MESSAGE_BYTES = 16 * 1024 * 1024
# Some hundred messages, five milliseconds of work; at 50 ms from the venue it lets 5 MB a second through.
RECEIVE_BUFFER_BYTES = 128 * 1024
_DATA = frozenset({WSMsgType.TEXT, WSMsgType.BINARY, WSMsgType.CONTINUATION})


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for what, in real seconds (a replay does not hurry the network)."""

    connect: float = 5.0
    ping_every: float = 20.0
    silence: float = 45.0
    first_pause: float = 0.25
    longest_pause: float = 15.0
    # A connection that held this long was a good one: the next pause starts small again.
    settled: float = 30.0


class SubscriptionRefused(Exception):
    """The venue refused a subscription without which the connection is worth nothing."""


class ConnectionSpent(Exception):
    """The venue tells nothing more on this connection; another one will do."""


# Finds where to connect to, anew for every connection. Raises SubscriptionRefused when the venue will not have us, and
# any other TradingError when it cannot be asked now.
Address = Callable[[], Awaitable[str]]


class Dialect(Protocol):
    """What to say to a venue, and how to read it."""

    def opening(self) -> Sequence[bytes]:
        """Begin a new connection; return the messages to send first on it."""
        ...

    def ping(self) -> bytes:
        """Return the message that makes the venue answer."""
        ...

    def read(self, message: bytes, received: datetime) -> bool:
        """Read one message and return whether all subscriptions are known to stand.

        Raises SubscriptionRefused when they never will; the connection is then given up and tried again.
        """
        ...

    def replies(self) -> Sequence[bytes]:
        """Return, once, what is to be sent because of the message just read."""
        ...


class ReconnectingWebsocket:
    """Runs one connection after another until it is stopped or the reader raises."""

    def __init__(
        self,
        url: str | Address,
        dialect: Dialect,
        on_state: Callable[[Connected | Disconnected | Refused], None],
        clock: Clock,
        patience: Patience | None = None,
    ) -> None:
        """Prepare; nothing is opened before `run`. A `url` that must be asked for appears in no log: it holds a key."""
        self._url, self._dialect, self._on_state, self._clock = url, dialect, on_state, clock
        self._patience = patience or Patience()
        self._pauses = 0
        self._stopping = asyncio.Event()
        self._transport: WSTransport | None = None
        self._listener: _Listener | None = None
        self._heard_at: datetime | None = None
        self._heard_monotonic: float | None = None
        self._connected = False

    @property
    def connected(self) -> bool:
        """Return whether the connection is up and every subscription stands."""
        return self._connected

    @property
    def age_seconds(self) -> float:
        """Return real seconds since the last message; infinite before the first."""
        return float("inf") if self._heard_monotonic is None else monotonic() - self._heard_monotonic

    def stop(self) -> None:
        """Ask `run` to close the connection and return."""
        self._stopping.set()
        if self._transport is not None:
            self._transport.disconnect(graceful=False)

    def renew(self, reason: str) -> None:
        """Give the present connection up for another, as if the venue had closed it."""
        if self._transport is not None and self._listener is not None:
            self._listener.reason = reason
            self._transport.disconnect(graceful=False)

    async def run(self) -> None:
        """Keep a connection until stopped. Raises what the reader or the state handler raised."""
        while not self._stopping.is_set():
            started = monotonic()
            reason = await self._one_connection()
            if self._stopping.is_set():
                break
            logger.warning("websocket %s is down: %s", self._name, reason)
            self._pauses = 0 if monotonic() - started > self._patience.settled else self._pauses + 1
            await self._pause()

    @property
    def _name(self) -> str:
        return self._url if isinstance(self._url, str) else "of an account"

    async def _one_connection(self) -> str:
        listener = self._listener = _Listener(self)
        # Before connecting: the first message may be read before the connect call returns, and must
        # not be judged by what the last connection had subscribed.
        opening = self._dialect.opening()
        # What was to be said to the last connection and was not is nobody's business now.
        self._dialect.replies()
        try:
            url = self._url if isinstance(self._url, str) else await self._url()
            transport, _ = await asyncio.wait_for(
                ws_connect(lambda: listener, url, max_frame_size=MAX_MESSAGE_BYTES), self._patience.connect
            )
        except (OSError, WSError, TimeoutError, TradingError) as error:
            return f"cannot connect: {error!r}"
        except SubscriptionRefused as refusal:
            self.refused(str(refusal))
            return f"refused by the venue: {refusal}"
        self._transport = transport
        if self._stopping.is_set():
            transport.disconnect(graceful=False)
        try:
            return await self._converse(transport, listener, opening)
        finally:
            self._transport = None
            transport.disconnect(graceful=False)

    async def _converse(self, transport: WSTransport, listener: _Listener, opening: Sequence[bytes]) -> str:
        heartbeat = asyncio.create_task(self._beat(transport, listener))
        try:
            for message in opening:
                transport.send(WSMsgType.TEXT, message)
            await transport.wait_disconnected()
        except (OSError, WSError) as error:
            listener.reason = listener.reason or repr(error)
        finally:
            heartbeat.cancel()
            self._went_down(listener.reason)
        if listener.failure is not None:
            raise listener.failure
        return listener.reason or "closed by the venue"

    async def _beat(self, transport: WSTransport, listener: _Listener) -> None:
        started = last_ping = monotonic()
        step = min(self._patience.ping_every, self._patience.silence) / 4
        while True:
            await asyncio.sleep(step)
            now = monotonic()
            if now - listener.heard_monotonic > self._patience.silence:
                listener.reason = f"silent for {self._patience.silence:g} s"
                transport.disconnect(graceful=False)
                return
            if not self._connected and now - started > self._patience.silence:
                listener.reason = "subscriptions were not answered"
                transport.disconnect(graceful=False)
                return
            if now - last_ping >= self._patience.ping_every:
                last_ping = now
                transport.send(WSMsgType.TEXT, self._dialect.ping())

    async def _pause(self) -> None:
        # Full jitter: after an outage of the venue not every process knocks in the same instant.
        ceiling = min(self._patience.longest_pause, self._patience.first_pause * 2 ** min(self._pauses, 16))
        seconds = random.uniform(ceiling / 2, ceiling)  # noqa: S311 - not a secret
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return

    def heard(self, message: bytes, listener: _Listener) -> None:
        """Take one whole message from the connection."""
        received = self._clock.now()
        listener.heard_monotonic = self._heard_monotonic = monotonic()
        standing = self._dialect.read(message, received)
        if standing and not self._connected:
            self._connected = True
            self._on_state(Connected(self._heard_at, received))
        # What is heard before the subscriptions stand proves nothing about what was missed.
        if self._connected:
            self._heard_at = received

    def replies(self) -> Sequence[bytes]:
        """Return what the dialect wants sent in answer."""
        return self._dialect.replies()

    def refused(self, reason: str) -> None:
        """Take the venue's refusal: the connection never stands, or stands no longer."""
        self._on_state(Refused(reason, self._clock.now()))

    def _went_down(self, reason: str) -> None:
        if self._connected:
            self._connected = False
            self._on_state(Disconnected(reason or "closed by the venue", self._clock.now()))


class _Listener(WSListener):
    """Joins frames to messages for one connection."""

    def __init__(self, owner: ReconnectingWebsocket) -> None:
        self._owner = owner
        self._parts: list[bytes] = []
        self.heard_monotonic = monotonic()
        self.reason = ""
        self.failure: Exception | None = None
        self._given_up = False

    def on_ws_connected(self, transport: WSTransport) -> None:
        """Bound what the kernel keeps for us.

        The library reads all there is in one go, and the kernel lets that grow to tens of megabytes: in a flood
        nothing else of this process would have its turn for seconds. With a bound the venue is slowed down instead.
        """
        connected = transport.underlying_transport.get_extra_info("socket")
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Pass on every complete message; an error of the reader ends the connection."""
        if frame.msg_type is WSMsgType.CLOSE:
            self.reason = f"closed by the venue: {frame.get_close_code()}"
            transport.disconnect()
            return
        if frame.msg_type not in _DATA:
            return
        payload = frame.get_payload_as_bytes()
        if self._parts or not frame.fin:
            self._parts.append(payload)
            if sum(map(len, self._parts)) > MAX_MESSAGE_BYTES:
                self.reason = f"a message of more than {MAX_MESSAGE_BYTES} bytes"
                transport.disconnect(graceful=False)
                return
            if not frame.fin:
                return
            payload = b"".join(self._parts)
            self._parts = []
        self._deliver(transport, payload)

    def _deliver(self, transport: WSTransport, payload: bytes) -> None:
        if self.failure is not None or self._given_up:
            return
        try:
            self._owner.heard(payload, self)
            for reply in self._owner.replies():
                transport.send(WSMsgType.TEXT, reply)
        except SubscriptionRefused as refusal:
            self._given_up = True
            self.reason = f"refused by the venue: {refusal}"
            transport.disconnect(graceful=False)
            self._owner.refused(str(refusal))
        except ConnectionSpent as spent:
            self._given_up = True
            self.reason = str(spent)
            transport.disconnect(graceful=False)
        except Exception as error:  # noqa: BLE001 - re-raised by run(); here it would only be logged
            self.failure = error
            transport.disconnect(graceful=False)
