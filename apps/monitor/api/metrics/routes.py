"""What Prometheus is told, for who comes with a token: of this machine's processes and of all that is shared."""

from __future__ import annotations

from functools import lru_cache
from http import HTTPStatus
from typing import Annotated, Any

from django.conf import settings
from fastapi import APIRouter, Depends, Response

from apps.exchanges.market_data.cache import redis_client
from apps.monitor.api.people import Caller, allowed
from apps.monitor.api.threads import in_thread
from apps.monitor.api.writes import READ
from apps.monitor.metrics.counted import CountedFolder
from apps.monitor.metrics.scrape import CONTENT_TYPE, Scrape

# They tell what accounts are worth, as much as who may look at those sees anyway.
Reader = Annotated[Caller, Depends(allowed("exchanges.view_account"))]
_TOLD: dict[int | str, dict[str, Any]] = {
    HTTPStatus.OK: {
        "description": "All metrics in Prometheus' text format.",
        "content": {
            "text/plain": {
                "schema": {"type": "string"},
                "example": '# TYPE moondev_source_up gauge\nmoondev_source_up{source="money",server="sql"} 1.0\n',
            }
        },
    }
}

router = APIRouter(prefix="/metrics", tags=["metrics"])


@router.get("", response_class=Response, responses={**READ, **_TOLD})
async def told(_: Reader) -> Response:
    """Return all metrics, as of a second ago at most."""
    return Response(await in_thread(_told), media_type=CONTENT_TYPE)


def _told() -> bytes:
    return _scrape().answer()


@lru_cache(maxsize=1)
def _scrape() -> Scrape:
    return Scrape(CountedFolder(settings.MOONDEV_METRICS_DIR), redis_client())
