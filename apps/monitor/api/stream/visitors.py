"""Who may follow the stream: whoever may use the API, from a page of ours or with a token, for as long as both last."""

from __future__ import annotations

from http import HTTPStatus

from asgiref.sync import ThreadSensitiveContext
from django.db import connections
from starlette.exceptions import HTTPException
from starlette.websockets import WebSocket

from apps.monitor.api.origins import is_page_of_ours
from apps.monitor.api.people import identify
from apps.monitor.api.stream.topics import Topics
from apps.monitor.api.threads import in_thread


async def topics_for(socket: WebSocket, topics: Topics) -> frozenset[str]:
    """Return which topics who asks may follow.

    Raises HTTPException: 401 for nobody, 403 for others than staff and for foreign pages.
    """
    _require_own_page(socket)
    async with ThreadSensitiveContext():
        try:
            return await in_thread(_allowed, socket, topics)
        finally:
            await in_thread(connections.close_all)


def _allowed(socket: WebSocket, topics: Topics) -> frozenset[str]:
    # The API knows people by their requests; the first message of a websocket is one, to read something.
    caller = identify({**socket.scope, "type": "http", "method": "GET"})
    return frozenset(topic.name for topic in topics if caller.may(topic.permission))


def _require_own_page(socket: WebSocket) -> None:
    """Refuse pages of other sites: browsers send our cookies with their sockets, too, and no CSRF token with any."""
    origin = socket.headers.get("origin")
    if origin is not None and not is_page_of_ours(socket):
        raise HTTPException(HTTPStatus.FORBIDDEN, f"pages of {origin} may not follow the stream")
