"""The admin as operators see it: what kind of money is at stake and the ways to everything, on every page."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.admin import AdminSite
from django.http import HttpRequest

# What an operator looks for first comes first; apps that are not named follow in alphabetical order.
APPS_IN_ORDER = ("strategies", "risk", "exchanges")


class OperationsSite(AdminSite):
    """Django's admin with our name, the environment in its header and links to the other pages."""

    site_header = "MoonDev AlgoTrade"
    site_title = "MoonDev AlgoTrade"
    index_title = "Operations"

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Tell every page whether this installation may trade real money, and where Flower is."""
        return {
            **super().each_context(request),
            "real_money": bool(settings.MOONDEV_LIVE_TRADING),
            "flower_url": settings.FLOWER_URL,
        }

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """Return the apps in the order in which operators need them."""
        listed = super().get_app_list(request, app_label)
        return sorted(listed, key=lambda app: _rank(app["app_label"]))


def _rank(app_label: str) -> int:
    return APPS_IN_ORDER.index(app_label) if app_label in APPS_IN_ORDER else len(APPS_IN_ORDER)
