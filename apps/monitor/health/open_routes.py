"""``/health/live`` and ``/health/ready``: for container probes and proxies, open to anybody, and telling nothing else.

Live touches nothing: a process that answers need not be started anew because a server it uses is away. Ready says, by
name, whether what every request needs is there; why not is for those who may ask `/api/v1/health`.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from apps.monitor.health.servers import servers
from apps.monitor.health.states import State

# An answer of a minute ago says nothing.
_HEADERS = {"Cache-Control": "no-store"}


async def live(_: Request) -> Response:
    """Answer: that there is an answer is the answer."""
    return PlainTextResponse("ok", headers=_HEADERS)


async def ready(_: Request) -> Response:
    """Say of each server whether it can be used; 503 when one cannot. Within LIMIT_SECONDS, see servers.py."""
    told = await asyncio.get_running_loop().run_in_executor(_threads(), servers().look)
    usable = {name: found.answer.state in {State.OK, State.DEGRADED} for name, found in told.items()}
    well = all(usable.values())
    body = {"ready": well, "checks": {name: "ok" if fine else "not ok" for name, fine in usable.items()}}
    return JSONResponse(body, HTTPStatus.OK if well else HTTPStatus.SERVICE_UNAVAILABLE, _HEADERS)


@lru_cache(maxsize=1)
def _threads() -> ThreadPoolExecutor:
    """Return threads that anybody may keep waiting: no others, and not more than these."""
    return ThreadPoolExecutor(2, thread_name_prefix="ready")


def open_routes() -> list[Route]:
    """Return both, to be put before the admin: they pass none of its doors, nor those of the API."""
    return [Route("/health/live", live), Route("/health/ready", ready)]
