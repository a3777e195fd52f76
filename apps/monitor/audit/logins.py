"""Write down who comes and goes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import AbstractUser
from django.http import HttpRequest

from apps.monitor.audit.append import audit_append

MOST_OF_A_NAME = 150


def logged_in(request: HttpRequest | None, user: AbstractUser, **_: Any) -> None:  # noqa: ANN401  Django's
    """Note a login."""
    name = user.get_username()
    audit_append(action="login", subject=name, actor=name, address=_address(request))


def logged_out(request: HttpRequest | None, user: AbstractUser | None, **_: Any) -> None:  # noqa: ANN401  Django's
    """Note a logout; of nobody there is none."""
    if user is not None:
        name = user.get_username()
        audit_append(action="logout", subject=name, actor=name, address=_address(request))


def login_failed(credentials: Mapping[str, Any], request: HttpRequest | None = None, **_: Any) -> None:  # noqa: ANN401  Django's own types
    """Note a login that was refused, under the name that was tried."""
    tried = str(credentials.get("username", ""))[:MOST_OF_A_NAME]
    audit_append(action="login refused", subject=tried, actor="nobody", address=_address(request))


def _address(request: HttpRequest | None) -> str:
    return str(request.META.get("REMOTE_ADDR", "")) if request is not None else ""
