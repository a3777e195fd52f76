"""Pass requests on to Flower, and what it answers back, as it comes."""

from __future__ import annotations

import logging
from http import HTTPStatus

import aiohttp
from starlette.types import Receive, Scope, Send
from yarl import URL

from apps.monitor.flower.away import send_away
from apps.monitor.flower.headers import answered_by_flower, asked_of_flower
from apps.monitor.flower.place import PREFIX, flower_place
from moondev.domain.errors import Configuration

logger = logging.getLogger(__name__)

# Flower asks all workers and waits for their answers, up to some seconds each.
PATIENCE = aiohttp.ClientTimeout(total=60.0, sock_connect=2.0, sock_read=30.0)
# More than any page of Flower's has; a list of tasks without a limit may be as long as it likes.
LARGEST_ANSWER = 32 * 1024 * 1024
PIECE = 64 * 1024


class Passing:
    """An ASGI application that is Flower, wherever that runs. Belongs to one event loop."""

    def __init__(self) -> None:
        """Connect when first asked."""
        self._session: aiohttp.ClientSession | None = None

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Serve a request that has been let in, and whose body is here."""
        telling = _Telling(send)
        try:
            await self._pass(scope, telling)
        except (aiohttp.ClientError, TimeoutError, OSError, Configuration) as error:
            logger.warning("Flower does not answer: %s", error or type(error).__name__)
            # An answer that has begun cannot be taken back: without its end the server breaks the connection off.
            if not telling.begun:
                await send_away(scope, send)

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _pass(self, scope: Scope, telling: _Telling) -> None:
        address = _address(scope)
        session = self._opened()
        request = session.request(
            scope["method"], address, headers=asked_of_flower(scope["headers"]), data=scope["state"]["body"] or None,
            allow_redirects=False,
        )  # fmt: skip
        async with request as answer:
            if answer.status == HTTPStatus.UNAUTHORIZED:
                raise aiohttp.ClientError("it does not know our secret: SECRET_KEY differs")
            await telling.start(answer.status, answer)
            async for piece in answer.content.iter_chunked(PIECE):
                await telling.tell(piece)
            await telling.end()

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            place = flower_place()
            connector = aiohttp.TCPConnector() if place.socket is None else aiohttp.UnixConnector(str(place.socket))
            # Nothing of one person's cookies may ever be sent for another.
            self._session = aiohttp.ClientSession(
                connector=connector, timeout=PATIENCE, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False
            )
        return self._session


class _Telling:
    """Sends an answer on, and keeps count of it."""

    def __init__(self, send: Send) -> None:
        self._send, self._length = send, 0
        self.begun = False

    async def start(self, status: int, answer: aiohttp.ClientResponse) -> None:
        self.begun = True
        headers = answered_by_flower(answer.headers)
        await self._send({"type": "http.response.start", "status": status, "headers": headers})

    async def tell(self, piece: bytes) -> None:
        self._length += len(piece)
        if self._length > LARGEST_ANSWER:
            raise aiohttp.ClientError(f"it answers with more than {LARGEST_ANSWER} bytes")
        await self._send({"type": "http.response.body", "body": piece, "more_body": True})

    async def end(self) -> None:
        await self._send({"type": "http.response.body", "body": b""})


def _address(scope: Scope) -> URL:
    """Return the address at Flower, as it was written: names of workers and tasks have signs that mean something."""
    path = scope.get("raw_path", scope["path"].encode()).decode("latin-1")
    inside = path == PREFIX or path.startswith(f"{PREFIX}/")
    query = scope.get("query_string", b"").decode("latin-1")
    whole = (path if inside else f"{PREFIX}/") + (f"?{query}" if query else "")
    return URL(flower_place().url + whole, encoded=True)
