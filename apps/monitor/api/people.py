"""Who asks: staff with a session of the admin. What changes something shows the CSRF token, as the admin's forms do."""

from __future__ import annotations

import io
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from importlib import import_module
from typing import Annotated

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.auth.models import AbstractUser
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware
from fastapi import Depends, HTTPException, Request

from apps.monitor.api.threads import in_thread


async def staff(request: Request) -> AbstractUser:
    """Return who asks. Raises HTTPException: 401 without a login, 403 for others than staff and without the token."""
    return await in_thread(_staff, _as_django(request))


Staff = Annotated[AbstractUser, Depends(staff)]


def allowed(permission: str) -> Callable[[AbstractUser], Awaitable[AbstractUser]]:
    """Return a dependency that lets in staff with a permission of Django's, such as strategies.add_backtestrun."""

    async def check(person: Staff) -> AbstractUser:
        if not await in_thread(person.has_perm, permission):
            raise HTTPException(HTTPStatus.FORBIDDEN, f"the permission {permission} is needed")
        return person

    return check


def _as_django(request: Request) -> ASGIRequest:
    """Return the request as Django's middleware knows it, without its body, which none of it needs."""
    return ASGIRequest({**request.scope, "root_path": ""}, io.BytesIO())


def _staff(request: HttpRequest) -> AbstractUser:
    sessions = import_module(settings.SESSION_ENGINE)
    request.session = sessions.SessionStore(request.COOKIES.get(settings.SESSION_COOKIE_NAME))
    person = get_user(request)
    if not isinstance(person, AbstractUser) or not person.is_active:
        raise HTTPException(HTTPStatus.UNAUTHORIZED, "log in at /admin/ first")
    if not person.is_staff:
        raise HTTPException(HTTPStatus.FORBIDDEN, "only staff may use the API")
    _require_token(request)
    return person


def _require_token(request: HttpRequest) -> None:
    """Hold a request that changes something to Django's own rules: token, origin and, over HTTPS, referrer."""
    guard = CsrfViewMiddleware(_unanswered)
    guard.process_request(request)
    if guard.process_view(request, _unanswered, (), {}) is not None:
        raise HTTPException(HTTPStatus.FORBIDDEN, "the CSRF token is missing or wrong; send the cookie as X-CSRFToken")


def _unanswered(_request: HttpRequest) -> HttpResponse:
    return HttpResponse()
