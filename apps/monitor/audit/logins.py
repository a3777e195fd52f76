"""Write down who comes and goes."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import AbstractUser
from django.http import HttpRequest

from apps.monitor.access.patience import address_of, guess_counts
from apps.monitor.audit.append import audit_append

logger = logging.getLogger(__name__)
MOST_OF_A_NAME = 150


def logged_in(request: HttpRequest | None, user: AbstractUser, **_: Any) -> None:  # noqa: ANN401  Django's
    """Note a login."""
    name = user.get_username()
    audit_append(action="login", subject=name, actor=name, address=address_of(request))


def logged_out(request: HttpRequest | None, user: AbstractUser | None, **_: Any) -> None:  # noqa: ANN401  Django's
    """Note a logout; of nobody there is none."""
    if user is not None:
        name = user.get_username()
        audit_append(action="logout", subject=name, actor=name, address=address_of(request))


def login_failed(credentials: Mapping[str, Any], request: HttpRequest | None = None, **_: Any) -> None:  # noqa: ANN401  Django's own types
    """Note a login that was refused, under the name that was tried; of a flood of them the first ones."""
    tried = str(credentials.get("username", ""))[:MOST_OF_A_NAME]
    if not guess_counts(address_of(request), tried):
        logger.warning("a login as %s from %s was refused, as many before", tried, address_of(request))
        return
    audit_append(action="login refused", subject=tried, actor="nobody", address=address_of(request))
