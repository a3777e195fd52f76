"""Who asks: a program with a token, or a person with a session of the admin.

Whoever changes something with a session shows the CSRF token as well, as the admin's forms do.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from importlib import import_module
from typing import Annotated, Any

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.auth.models import AbstractUser
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware
from fastapi import Depends, HTTPException, Request
from starlette.types import Scope

from apps.monitor.access.networks import lies_in
from apps.monitor.access.scopes import grants
from apps.monitor.access.tokens import token_find
from apps.monitor.models import ApiToken
from moondev.domain.clock import LiveClock

SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, with what, from where."""

    user: AbstractUser
    token: ApiToken | None
    address: str

    @property
    def username(self) -> str:
        """Return the person who answers for it: two tokens of one person are not two persons."""
        return str(self.user.get_username())

    @property
    def name(self) -> str:
        """Return the name for the audit trail."""
        return self.username if self.token is None else f"{self.username} via {self.token}"

    @property
    def owner(self) -> str:
        """Return what rates and idempotency keys are kept under."""
        return f"user:{self.user.pk}" if self.token is None else f"token:{self.token.prefix}"

    def may(self, permission: str) -> bool:
        """Return whether the person has a permission, and the token is for it."""
        within = self.token is None or grants(self.token.scopes, permission)
        return within and bool(self.user.has_perm(permission))


def caller_of(scope: Scope) -> Caller | None:
    """Return who makes a request, once the entrance has let him in."""
    found = scope.get("state", {}).get("caller")
    return found if isinstance(found, Caller) else None


def identify(scope: Scope) -> Caller:
    """Return who makes a request. Raises HTTPException: 401 for nobody, 403 for others than staff and a forged form."""
    request = _as_django(scope)
    address = scope["client"][0] if scope.get("client") else ""
    if "HTTP_AUTHORIZATION" in request.META:
        caller = _by_token(request.META["HTTP_AUTHORIZATION"], address)
    else:
        caller = Caller(_by_session(request), None, address)
    if not caller.user.is_superuser:
        # Read here, where the database may be asked, and kept with the person: `may` asks nobody any more.
        caller.user.get_all_permissions()
    return caller


def said_digest(scope: Scope) -> bytes:
    """Return a digest of what a request says about who makes it: a secret is kept nowhere, not even as a key."""
    said = [value for name, value in scope["headers"] if name in {b"authorization", b"cookie"}]
    return hashlib.sha256(repr((said, (scope.get("client") or ("",))[0])).encode()).digest()


async def _caller(request: Request) -> Caller:
    caller = caller_of(request.scope)
    if caller is None:  # only possible when a route is served past the entrance
        raise HTTPException(HTTPStatus.UNAUTHORIZED, "log in at /admin/ first, or send a token")
    return caller


Asked = Annotated[Caller, Depends(_caller)]


def allowed(*permissions: str) -> Callable[[Caller], Awaitable[Caller]]:
    """Return a dependency that lets in who has one of `permissions` of Django's, such as strategies.add_backtestrun."""

    async def check(caller: Asked) -> Caller:
        if not any(caller.may(permission) for permission in permissions):
            wanted = " or ".join(permissions)
            raise HTTPException(HTTPStatus.FORBIDDEN, f"the permission {wanted} is needed, and a token with its scope")
        return caller

    return check


def critical(*permissions: str) -> Callable[[Caller], Awaitable[Caller]]:
    """Return such a dependency for what may cost money: it is accepted from API_CRITICAL_NETWORKS only."""
    check = allowed(*permissions)

    async def near(caller: Asked) -> Caller:
        await check(caller)
        if not lies_in(caller.address, settings.API_CRITICAL_NETWORKS):
            raise HTTPException(HTTPStatus.FORBIDDEN, f"not from {caller.address}: see API_CRITICAL_NETWORKS")
        return caller

    return near


def _as_django(scope: Scope) -> ASGIRequest:
    """Return the request as Django's middleware knows it, without its body, which none of it needs."""
    return ASGIRequest({**scope, "root_path": ""}, io.BytesIO())


def _by_token(header: str, address: str) -> Caller:
    kind, _, text = header.partition(" ")
    token = token_find(text.strip(), address=address, now=LiveClock().now()) if kind.lower() == "bearer" else None
    if token is None:
        challenge = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
        raise HTTPException(HTTPStatus.UNAUTHORIZED, "not a token that works from here", challenge)
    return Caller(token.user, token, address)


def _by_session(request: HttpRequest) -> AbstractUser:
    sessions: Any = import_module(settings.SESSION_ENGINE)
    request.session = sessions.SessionStore(request.COOKIES.get(settings.SESSION_COOKIE_NAME))
    person = get_user(request)
    if not isinstance(person, AbstractUser) or not person.is_active:
        raise HTTPException(
            HTTPStatus.UNAUTHORIZED, "log in at /admin/ first, or send a token", {"WWW-Authenticate": "Bearer"}
        )
    if not person.is_staff:
        raise HTTPException(HTTPStatus.FORBIDDEN, "only staff may use the API")
    _require_form_token(request)
    return person


def _require_form_token(request: HttpRequest) -> None:
    """Hold a request that changes something to Django's own rules: token, origin and, over HTTPS, referrer."""
    guard = CsrfViewMiddleware(_unanswered)
    guard.process_request(request)
    if guard.process_view(request, _unanswered, (), {}) is not None:
        raise HTTPException(HTTPStatus.FORBIDDEN, "the CSRF token is missing or wrong; send the cookie as X-CSRFToken")


def _unanswered(_request: HttpRequest) -> HttpResponse:
    return HttpResponse()
