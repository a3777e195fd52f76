"""Logins with a password: who guesses is not listened to for a while, and a flood of guesses fills no trail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

if TYPE_CHECKING:
    from apps.monitor.access.rates import Rates

LOGIN, GUESS = "login", "login-of"


class PatientBackend(ModelBackend):
    """Django's own, that asks for no password after API_RATE_OF_FAILURES wrong ones for a name from one address.

    By name and address: whoever guesses locks out nobody who logs in from elsewhere, nor anybody else from there.
    """

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,  # noqa: ANN401  Django's
    ) -> User | None:
        """Return who logs in, None for a wrong password. Raises PermissionDenied, which asks no other backend."""
        if request is not None and username is not None and _is_spent(address_of(request), username):
            raise PermissionDenied
        return super().authenticate(request, username=username, password=password, **kwargs)


def guess_counts(address: str, username: str) -> bool:
    """Count a login that was refused; return whether it is worth an entry in the trail: thousands of them are not."""
    rates, rate = _rates(), settings.API_RATE_OF_FAILURES
    rates.hit(rate, GUESS, address, username.casefold())
    return rates.hit(rate, LOGIN, address) is None


def address_of(request: HttpRequest | None) -> str:
    """Return where a request comes from, as the server says; empty without one."""
    return str(request.META.get("REMOTE_ADDR", "")) if request is not None else ""


def _is_spent(address: str, username: str) -> bool:
    return _rates().spent(settings.API_RATE_OF_FAILURES, GUESS, address, username.casefold()) is not None


def _rates() -> Rates:
    # Here, because every process that asks for a permission loads this, and few count anything.
    from apps.monitor.access.rates import api_rates  # noqa: PLC0415  loads the limiter

    return api_rates()
