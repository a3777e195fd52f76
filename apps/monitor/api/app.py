"""The application: routes, who may use them, and how problems are told."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from starlette.types import ASGIApp

from apps.monitor.api.accounts import routes as accounts
from apps.monitor.api.alerts import routes as alerts
from apps.monitor.api.alerts import rules as alert_rules
from apps.monitor.api.analytics import routes as analytics
from apps.monitor.api.backtests import routes as backtests
from apps.monitor.api.channels import routes as channels
from apps.monitor.api.doors.entrance import Entrance
from apps.monitor.api.doors.once import Once
from apps.monitor.api.doors.tags import Tags
from apps.monitor.api.doors.trail import Trail
from apps.monitor.api.doors.whole import Whole
from apps.monitor.api.exports import routes as exports
from apps.monitor.api.health import routes as health
from apps.monitor.api.health import slos
from apps.monitor.api.metrics import routes as metrics
from apps.monitor.api.orders import routes as orders
from apps.monitor.api.pnl import routes as pnl
from apps.monitor.api.problems import tell_problems
from apps.monitor.api.reports import routes as reports
from apps.monitor.api.risk import breakers, halts, limits
from apps.monitor.api.strategies import decisions, stages
from apps.monitor.api.strategies import routes as strategies
from apps.monitor.api.trail import routes as trail
from apps.monitor.api.venues import routes as venues
from apps.monitor.health.slos.api_meter import ApiMeter

PREFIX = "/api/v1"
ROUTERS = (
    strategies.router, stages.router, decisions.router, accounts.router, orders.router, pnl.router, limits.router,
    breakers.router, halts.router, venues.router, health.router, slos.router, metrics.router, backtests.router,
    alerts.router, alert_rules.router, trail.router, channels.router, analytics.router, reports.router, exports.router,
)  # fmt: skip


def create_api() -> ASGIApp:
    """Return the API, to be mounted at PREFIX. No route is open: the entrance asks who it is."""
    # Interactive pages would load their scripts from elsewhere; the description itself is one of the routes.
    app = FastAPI(
        title="MoonDev AlgoTrade",
        version="1",
        summary="What operators do in the admin, for programs.",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
    )
    for router in ROUTERS:
        app.include_router(router)

    @app.get("/openapi.json", include_in_schema=False)
    async def description() -> dict[str, Any]:
        return {**app.openapi(), "servers": [{"url": PREFIX}]}

    tell_problems(app)
    return ApiMeter(Whole(Trail(Entrance(Tags(Once(app))))))
