"""The page of the dashboard: the bundle, and what it has to know of who looks at it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from django.conf import settings
from django.contrib.admin.views.decorators import staff_member_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import ensure_csrf_cookie

# What buttons the page shows; the API asks for the same permissions again when one is pressed.
BUTTONS: Mapping[str, str] = MappingProxyType(
    {
        "operate": "strategies.change_strategyrow",
        "stop": "exchanges.add_veto",
        "release": "exchanges.change_tradingstate",
    }
)
# Everything the page loads is ours. Charts set the style of single elements, which a policy calls inline as well.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self' ws: wss:; font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


@staff_member_required
@ensure_csrf_cookie
def dashboard(request: HttpRequest) -> HttpResponse:
    """Show the dashboard to staff; everything on it comes over the stream and the API."""
    answer = render(request, "monitor/dashboard.html", {"known": known(request)})
    answer["Content-Security-Policy"] = POLICY
    return answer


def known(request: HttpRequest) -> dict[str, object]:
    """Return what the page has to know from the start."""
    person = request.user
    return {
        "person": person.get_username(),
        "realMoney": bool(settings.MOONDEV_LIVE_TRADING),
        "flower": settings.FLOWER_URL,
        "may": [name for name, permission in BUTTONS.items() if person.has_perm(permission)],
    }
