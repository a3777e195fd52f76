"""Rules: list, read, change."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from decimal import Decimal
from http import HTTPStatus
from typing import Annotated

from django.db import transaction
from fastapi import APIRouter, Depends, HTTPException, Path, Query, Response

from apps.monitor.alerts.history.trials import try_rule, usual_variants
from apps.monitor.alerts.measures import MEASURES
from apps.monitor.alerts.services import rule_change
from apps.monitor.api.alerts.schemas import Days, RuleChanged, RuleList, RuleTold, Trials, TriedTold
from apps.monitor.api.people import Caller, allowed, critical
from apps.monitor.api.tags import IfMatch, require_match, tag_of
from apps.monitor.api.threads import in_thread
from apps.monitor.api.writes import EDIT, KEYED, READ, WRITE
from apps.monitor.audit.acting import because
from apps.monitor.models import AlertRule
from apps.monitor.models.alerts import MONTH
from moondev.domain.clock import process_clock

# Whoever switches a rule off blinds the watch: accepted from near only, like what costs money.
Reader = Annotated[Caller, Depends(allowed("monitor.view_alertrule"))]
Changer = Annotated[Caller, Depends(critical("monitor.change_alertrule"))]
Slug = Annotated[str, Path(min_length=1, max_length=40)]

router = APIRouter(prefix="/alert-rules", tags=["alerts"])


@router.get("", responses=READ)
async def listed(_: Reader) -> RuleList:
    """List every rule."""
    return await in_thread(lambda: RuleList(items=[_told(rule) for rule in AlertRule.objects.order_by("slug")]))


@router.get("/{slug}", responses=WRITE)
async def read(slug: Slug, _: Reader, response: Response) -> RuleTold:
    """Return one rule; the ETag goes into If-Match to change it."""
    found = await in_thread(lambda: _told(_rule(slug)))
    response.headers["ETag"] = tag_of(found)
    return found


@router.get("/{slug}/trials", responses=WRITE)
async def trials(
    slug: Slug,
    _: Reader,
    days: Days = 7,
    threshold: Annotated[Decimal | None, Query(ge=0, le=10**12, description="Only this one.")] = None,
    for_seconds: Annotated[int | None, Query(ge=0, le=MONTH, description="Only this one.")] = None,
) -> Trials:
    """Say how often a rule would have fired with other thresholds and for-durations, over what was recorded."""
    return await in_thread(_trials, slug, days, threshold, for_seconds)


@router.patch("/{slug}", responses=EDIT, dependencies=KEYED)
async def change(
    slug: Slug, asked: RuleChanged, caller: Changer, response: Response, if_match: IfMatch = None
) -> RuleTold:
    """Change a rule, or switch it off; it binds the next look, seconds from now."""
    changed = await in_thread(_change, slug, asked, if_match, caller.username)
    response.headers["ETag"] = tag_of(changed)
    return changed


def _change(slug: str, asked: RuleChanged, if_match: str | None, actor: str) -> RuleTold:
    values = asked.model_dump(exclude_unset=True, exclude={"reason"})
    with because(asked.reason), transaction.atomic():
        # Locked, so that nobody changes it between the comparison and the change.
        AlertRule.objects.select_for_update(no_key=True).filter(pk=_rule(slug).pk).get()
        require_match(if_match, _told(_rule(slug)))
        rule = rule_change(slug=slug, values=values, actor=actor, reason=asked.reason)
        rule.refresh_from_db()
        return _told(rule)


def _trials(slug: str, days: int, threshold: Decimal | None, for_seconds: int | None) -> Trials:
    rule, now = _rule(slug), process_clock().now()
    since = now - timedelta(days=days)
    variants = usual_variants(rule)
    if threshold is not None or for_seconds is not None:
        own = (rule.threshold if threshold is None else threshold, for_seconds)
        variants = [(own[0], rule.for_seconds if own[1] is None else own[1])]
    items = [TriedTold(**asdict(one)) for one in try_rule(rule, variants, since, now)]
    return Trials(since=since, items=items)


def _told(rule: AlertRule) -> RuleTold:
    measure = MEASURES.get(rule.reading)
    own = {name: getattr(rule, name) for name in RuleTold.model_fields if name not in {"measures", "unit"}}
    return RuleTold(
        measures="" if measure is None else measure.words, unit="" if measure is None else measure.unit.value, **own
    )


def _rule(slug: str) -> AlertRule:
    found = AlertRule.objects.filter(slug=slug).first()
    if found is None:
        raise HTTPException(HTTPStatus.NOT_FOUND, f"there is no rule {slug!r}")
    return found
