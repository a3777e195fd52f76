"""Who may follow the stream: whoever may use the API, from a page of ours or with a token, for as long as both last."""

from __future__ import annotations

import asyncio
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.websockets import WebSocket

from apps.monitor.access.lately import Lately
from apps.monitor.api.origins import is_page_of_ours
from apps.monitor.api.people import identify, said_digest
from apps.monitor.api.stream.topics import Topics
from apps.monitor.api.threads import in_thread

Names = frozenset[str]


class Visitors:
    """Looks up what people may follow. Many who show the same at the same moment are looked up once.

    A crowd comes back together after a restart, and each of it is looked at again from time to time: without this the
    looking would cost more than the telling. Belongs to one event loop.
    """

    def __init__(self, topics: Topics) -> None:
        """Know nobody."""
        self._topics = topics
        self._lately: Lately[Names] = Lately()
        self._asking: dict[bytes, asyncio.Task[Names]] = {}

    async def topics_for(self, socket: WebSocket) -> Names:
        """Return which topics who asks may follow.

        Raises HTTPException: 401 for nobody, 403 for others than staff and for foreign pages.
        """
        _require_own_page(socket)
        key = said_digest(socket.scope)
        known = self._lately.known(key)
        if known is not None:
            return known
        asking = self._asking.get(key)
        if asking is None:
            asking = self._asking[key] = asyncio.get_running_loop().create_task(self._ask(key, socket))
            # A refusal that nobody waits for any more is nobody's business.
            asking.add_done_callback(lambda done: done.cancelled() or done.exception())
        # One of them may leave while the others wait.
        return await asyncio.shield(asking)

    async def _ask(self, key: bytes, socket: WebSocket) -> Names:
        try:
            return await in_thread(self._lately.get, key, lambda: self._allowed(socket))
        finally:
            del self._asking[key]

    def _allowed(self, socket: WebSocket) -> Names:
        # The API knows people by their requests; the first message of a websocket is one, to read something.
        caller = identify({**socket.scope, "type": "http", "method": "GET"})
        return frozenset(topic.name for topic in self._topics if caller.may(topic.permission))


def _require_own_page(socket: WebSocket) -> None:
    """Refuse pages of other sites: browsers send our cookies with their sockets, too, and no CSRF token with any."""
    origin = socket.headers.get("origin")
    if origin is not None and not is_page_of_ours(socket):
        raise HTTPException(HTTPStatus.FORBIDDEN, f"pages of {origin} may not follow the stream")
