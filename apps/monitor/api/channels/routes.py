"""Channels: list them, send a test, and see what became of each notice. They are set up in the admin."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, HTTPException
from pydantic import BaseModel, ConfigDict

from apps.monitor.alerts.channels.services import channel_test
from apps.monitor.api.paging import Before, Limit, Page, Word, given, page
from apps.monitor.api.people import Caller, allowed
from apps.monitor.api.threads import in_thread
from apps.monitor.api.writes import KEYED, READ, WRITE, Why
from apps.monitor.models import Channel, Delivery
from moondev.domain.clock import LiveClock

Reader = Annotated[Caller, Depends(allowed("monitor.view_delivery"))]
Tester = Annotated[Caller, Depends(allowed("monitor.test_channel"))]
STATES = Literal["queued", "sending", "delivered", "failed", "gave_up"]

router = APIRouter(tags=["channels"])


class ChannelTold(BaseModel):
    """A way to people. Its secret is in the environment of the workers, under `secret_variable`, and never told."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "slug": "ops-chat", "kind": "discord", "enabled": True, "fallback": "ops-mail", "per_minute": 20,
                    "secret_variable": "ALERTS_DISCORD_OPS", "failures_in_row": 0, "quiet_until": None,
                }
            ]
        }
    )  # fmt: skip

    slug: str
    kind: str
    enabled: bool
    fallback: str | None
    per_minute: int
    secret_variable: str
    failures_in_row: int
    quiet_until: datetime | None


class ChannelList(BaseModel):
    """Every channel, by name."""

    items: list[ChannelTold]


class DeliveryTold(BaseModel):
    """One notice on its way to one channel. `key` is in the message; `instead_of` the delivery that failed before."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": 7, "key": "0d6a1f0e-6d0a-4a55-9d3a-3a1f5b1f7f7e", "channel": "ops-chat",
                    "title": "Stream is old", "state": "gave_up", "attempts": 3, "noticed_at": "2026-11-26T12:00:00Z",
                    "next_attempt_at": "2026-11-26T12:00:12Z", "finished_at": "2026-11-26T12:00:13Z",
                    "last_error": "it answered 500", "instead_of": None,
                }
            ]
        }
    )  # fmt: skip

    id: int
    key: str
    channel: str
    title: str
    state: STATES
    attempts: int
    noticed_at: datetime
    next_attempt_at: datetime
    finished_at: datetime | None
    last_error: str
    instead_of: int | None


class TestTold(BaseModel):
    """How a test went. `why` is what the other side said, or a remark about what was not perfect."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"delivered": False, "why": "it answered 401"}]})

    delivered: bool
    why: str


@router.get("/channels", responses=READ)
async def listed(_: Reader) -> ChannelList:
    """List channels with how they do."""
    return await in_thread(_listed)


@router.post("/channels/{slug}/test", responses=WRITE, dependencies=KEYED)
async def test(slug: str, why: Why, caller: Tester) -> TestTold:
    """Send a test over a channel, switched on or not, and say how it went. It is tried once; no fall-back gets it."""
    return await in_thread(_test, slug, why.reason, caller)


@router.get("/deliveries", responses=READ)
async def deliveries(
    _: Reader, channel: Word = None, state: STATES | None = None, before: Before = None, limit: Limit = 100
) -> Page[DeliveryTold]:
    """List what was to be told, newest first: where it went, how often that was tried, and what went wrong."""
    rows = Delivery.objects.select_related("channel").defer("notice")
    chosen = rows.filter(**given(channel__slug=channel, state=state))
    return await in_thread(lambda: page(chosen, before, limit, _delivery_told))


def _listed() -> ChannelList:
    rows = Channel.objects.select_related("fallback")
    names = [name for name in ChannelTold.model_fields if name != "fallback"]
    return ChannelList(
        items=[
            ChannelTold(fallback=row.fallback.slug if row.fallback else None, **{n: getattr(row, n) for n in names})
            for row in rows
        ]
    )


def _test(slug: str, reason: str, caller: Caller) -> TestTold:
    if not Channel.objects.filter(slug=slug).exists():
        raise HTTPException(HTTPStatus.NOT_FOUND, f"there is no channel {slug}")
    tested = channel_test(
        slug=slug, actor=caller.username, address=caller.address, reason=reason, now=LiveClock().now()
    )
    return TestTold(delivered=tested.delivered, why=tested.why)


def _delivery_told(row: Delivery) -> DeliveryTold:
    names = [name for name in DeliveryTold.model_fields if name not in {"key", "channel", "instead_of"}]
    return DeliveryTold(
        key=str(row.key), channel=row.channel.slug, instead_of=row.instead_of_id, **{n: getattr(row, n) for n in names}
    )
