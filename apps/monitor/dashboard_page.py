"""The page of the dashboard: the bundle, and what it has to know of who looks at it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from django.conf import settings
from django.contrib.admin.views.decorators import staff_member_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import ensure_csrf_cookie

from apps.monitor.access.networks import lies_in
from apps.risk.models import LimitKind

# What buttons and links the page shows; the API asks for the same permissions again when one is pressed.
BUTTONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "operate": ("strategies.change_strategyrow",),
        "pause": ("strategies.change_strategyrow", "exchanges.add_veto"),
        "stop": ("exchanges.add_veto", "exchanges.change_tradingstate"),
        "release": ("exchanges.change_tradingstate",),
        "trade": ("exchanges.add_order",),
        "cancel": ("exchanges.add_ordercommand",),
        "take": ("exchanges.change_position",),
        "limit": ("risk.change_limit",),
        "acknowledge": ("monitor.change_alert",),
        "reports": ("monitor.view_report",),
    }
)
# What the API accepts from API_CRITICAL_NETWORKS only, because it may cost money.
CRITICAL = frozenset({"operate", "release", "trade", "take", "limit"})
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
        "may": _buttons(request),
        "far": not _is_near(request),
        "limitKinds": dict(LimitKind.choices),
    }


def _buttons(request: HttpRequest) -> list[str]:
    near = _is_near(request)
    return [
        name
        for name, permissions in BUTTONS.items()
        if any(request.user.has_perm(one) for one in permissions) and (near or name not in CRITICAL)
    ]


def _is_near(request: HttpRequest) -> bool:
    return lies_in(request.META["REMOTE_ADDR"], settings.API_CRITICAL_NETWORKS)
