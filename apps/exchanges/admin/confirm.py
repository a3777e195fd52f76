"""Admin actions that ask before they act."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from moondev.domain.errors import TradingError

M = TypeVar("M", bound=Model)
Act = Callable[[M, str, str], str]
Action = Callable[[Any, HttpRequest, QuerySet[Any]], HttpResponse | None]


def confirmed_action(
    *, title: str, question: str, permission: str, wants_reason: bool = False
) -> Callable[[Act[M]], Action]:
    """Make an admin action of ``act(row, actor, reason) -> what was done``.

    The first request shows the rows and asks `question`; the second, confirmed one acts on each row by itself,
    so one row's refusal is told and does not keep the others from being done. Where a reason is wanted, nothing
    is done without one.
    """

    def decorate(act: Act[M]) -> Action:
        @admin.action(description=title, permissions=[permission])
        @wraps(act)
        def action(page: Any, request: HttpRequest, rows: QuerySet[M]) -> HttpResponse | None:  # noqa: ANN401
            confirmed, reason = request.POST.get("confirmed") == "yes", request.POST.get("reason", "").strip()
            if confirmed and wants_reason and not reason:
                messages.error(request, "reason is empty; allowed: a sentence that says why")
            if not confirmed or (wants_reason and not reason):
                return _ask(page, request, rows, title, question, wants_reason=wants_reason)
            for row in rows:
                _act(request, act, row, request.user.get_username(), reason)
            return None

        return action

    return decorate


def _act(request: HttpRequest, act: Act[M], row: M, actor: str, reason: str) -> None:
    try:
        messages.success(request, act(row, actor, reason))
    except TradingError as error:
        messages.error(request, f"Not done for {row}: {error}")


def _ask(
    page: Any,  # noqa: ANN401  the admin page of any model
    request: HttpRequest,
    rows: QuerySet[M],
    title: str,
    question: str,
    *,
    wants_reason: bool,
) -> TemplateResponse:
    context = {
        **page.admin_site.each_context(request),
        "title": title,
        "question": question,
        "rows": rows,
        "hidden": [("action", request.POST["action"]), *((ACTION_CHECKBOX_NAME, row.pk) for row in rows)],
        "wants_reason": wants_reason,
        "back": request.get_full_path(),
        "opts": page.model._meta,  # noqa: SLF001  Django's documented way to a model's options
    }
    return TemplateResponse(request, "admin/confirm_action.html", context)
