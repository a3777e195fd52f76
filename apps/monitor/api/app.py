"""The application: routes, who may use them, and how problems are told."""

from __future__ import annotations

from typing import Any

from fastapi import Depends, FastAPI
from starlette.types import ASGIApp

from apps.monitor.api.backtests import routes as backtests
from apps.monitor.api.people import staff
from apps.monitor.api.problems import tell_problems
from apps.monitor.api.threads import OwnThread

PREFIX = "/api/v1"


def create_api() -> ASGIApp:
    """Return the API, to be mounted at PREFIX. No route is open: each asks for a member of staff."""
    # Interactive pages would load their scripts from elsewhere; the description itself is one of the routes.
    app = FastAPI(
        title="MoonDev AlgoTrade",
        version="1",
        summary="What operators do in the admin, for programs.",
        dependencies=[Depends(staff)],
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
    )
    app.include_router(backtests.router)

    @app.get("/openapi.json", include_in_schema=False)
    async def description() -> dict[str, Any]:
        return {**app.openapi(), "servers": [{"url": PREFIX}]}

    tell_problems(app)
    return OwnThread(app)
