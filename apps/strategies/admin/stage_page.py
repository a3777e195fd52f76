"""The page of one strategy's stage: the gates before it and what they say, who approved, and every step so far."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse

from apps.exchanges.models import Account, Environment
from apps.strategies.models import Stage, StrategyRow
from apps.strategies.promotion import services
from apps.strategies.promotion.certificate import why_not
from apps.strategies.promotion.evidence import APPROVE, authors_of, version_of
from apps.strategies.promotion.stages import ORDER, REAL_MONEY
from moondev.domain.clock import process_clock
from moondev.domain.errors import TradingError

STAGE_PAGE = "strategies_strategyrow_stage"
_COLOURS = {Stage.RESEARCH: "calm", Stage.PAPER: "good", Stage.LIMITED_LIVE: "wait", Stage.LIVE: "bad"}


class StageForm(forms.Form):
    """What is to be done, why, and for real money where."""

    deed = forms.ChoiceField(choices=[(name, name) for name in ("approve", "promote", "demote")])
    to = forms.ChoiceField(choices=[(stage.value, stage.label) for stage in ORDER])
    reason = forms.CharField(max_length=300)
    account = forms.ModelChoiceField(Account.objects.filter(enabled=True).select_related("venue"), required=False)


def stage_colour(row: StrategyRow) -> str:
    """Return the colour of a stage: real money is red."""
    return _COLOURS[Stage(row.stage)]


def stage_page(page: ModelAdmin[StrategyRow], request: HttpRequest, pk: int) -> HttpResponse:
    """Show the stage of a strategy, or do what its form asks for."""
    row = get_object_or_404(StrategyRow.objects.select_related("account__venue"), pk=pk)
    if not page.has_view_permission(request, row):
        raise PermissionDenied
    if request.method == "POST":
        _act(page, request, row)
        return HttpResponseRedirect(request.path)
    return TemplateResponse(request, "admin/strategies/stage.html", _context(page, request, row))


def _act(page: ModelAdmin[StrategyRow], request: HttpRequest, row: StrategyRow) -> None:
    form = StageForm(request.POST)
    if not form.is_valid():
        field, problems = next(iter(form.errors.items()))
        messages.error(request, f"Not done: {field}: {problems[0]}")
        return
    deed, asked = form.cleaned_data["deed"], form.cleaned_data
    # Approving has a permission of its own, which the service asks for: whoever may approve need not edit.
    if deed != "approve" and not page.has_change_permission(request, row):
        raise PermissionDenied
    try:
        messages.success(request, _done(deed, row, request, asked))
    except TradingError as error:
        messages.error(request, f"Not done: {error}")


def _done(deed: str, row: StrategyRow, request: HttpRequest, asked: dict[str, Any]) -> str:
    now, to, reason = process_clock().now(), Stage(asked["to"]), asked["reason"]
    actor = request.user.get_username()
    if deed == "approve":
        services.stage_approve(row.pk, to=to, user=cast(services.Person, request.user), reason=reason, now=now)
        return f"Approved {row.slug} for {to.label}"
    if deed == "demote":
        services.stage_demote(row.pk, to=to, actor=actor, reason=reason, now=now)
        return f"{row.slug} is in {to.label}"
    services.stage_promote(row.pk, to=to, actor=actor, reason=reason, now=now, account=asked["account"])
    return f"{row.slug} is in {to.label}"


def _context(page: ModelAdmin[StrategyRow], request: HttpRequest, row: StrategyRow) -> dict[str, Any]:
    return {
        **page.admin_site.each_context(request),
        "title": f"{row.slug}: stage",
        "row": row,
        "opts": page.model._meta,  # noqa: SLF001  Django's documented way to a model's options
        "stages": [(stage, stage == row.stage) for stage in ORDER],
        "below": ORDER[: ORDER.index(Stage(row.stage))],
        "history": services.history(row),
        "authors": sorted(authors_of(row)),
        "may_change": page.has_change_permission(request, row),
        "may_approve": request.user.has_perm(APPROVE) and request.user.get_username() not in authors_of(row),
        **_gates(row),
    }


def _gates(row: StrategyRow) -> dict[str, Any]:
    """Return the gates before the strategy; why there are none to be seen when its code does not load."""
    environment = Environment(row.account.venue.environment)
    try:
        version = version_of(row)
    except TradingError as error:
        return {"problem": str(error)}
    found = {"version": version, "forbidden": why_not(row, environment, version.code_hash)}
    if row.stage == Stage.LIVE and not found["forbidden"]:
        return found
    to = services.next_step(row, version)
    moves = to in REAL_MONEY and environment is not Environment.LIVE
    live = Account.objects.filter(enabled=True, venue__environment=Environment.LIVE) if moves else []
    verdicts = services.verdicts(row, to, process_clock().now())
    passed = all(verdict.passed for verdict in verdicts)
    word = to.value.replace("_", " ")
    return {**found, "to": to, "to_word": word, "verdicts": verdicts, "open": passed, "live_accounts": live}
