"""The web application: ``uvicorn moondev.asgi:application``. The dashboard, the admin, and the API beside them."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

from django.core.asgi import get_asgi_application
from starlette.routing import Mount, Router, WebSocketRoute
from starlette.types import ASGIApp

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "moondev.settings.dev")

# The protocol is the same; Starlette names its types, Django does not.
admin = cast("ASGIApp", get_asgi_application())

from apps.monitor.api.app import PREFIX, create_api  # noqa: E402  after Django is set up: the API uses its models
from apps.monitor.api.stream.endpoint import Stream  # noqa: E402  the same
from apps.monitor.flower.page import FlowerPage  # noqa: E402  the same
from apps.monitor.flower.place import PREFIX as FLOWER  # noqa: E402  the same
from apps.monitor.health.open_routes import open_routes  # noqa: E402  the same
from moondev.garbage import rarely_collect  # noqa: E402  as above
from moondev.heartbeat.event_loop import loop_beating  # noqa: E402  the same
from moondev.logs.requests import Requests  # noqa: E402  the same


def web_application() -> ASGIApp:
    """Return the whole application. It beats while it is served, and closes what was opened when it ends."""
    stream, flower = Stream(), FlowerPage()

    @asynccontextmanager
    async def lifespan(_: object) -> AsyncIterator[None]:
        rarely_collect()
        async with loop_beating("web"):
            yield
        await stream.close()
        await flower.close()

    routes = [WebSocketRoute(f"{PREFIX}/stream", stream), Mount(PREFIX, app=create_api()), *open_routes()]
    routes += [Mount(FLOWER, app=flower), Mount("/", app=admin)]
    return Requests(Router(routes, lifespan=lifespan))


application = web_application()
