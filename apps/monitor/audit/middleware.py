"""Give what the pages of the admin change to whoever is logged in."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from apps.monitor.audit.acting import acting

SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


class ActingMiddleware:
    """Tells the database who acts while a page is answered that may change something."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer a request."""
        if request.method in SAFE or not request.user.is_authenticated:
            return self._get_response(request)
        with acting(request.user.get_username(), str(request.META.get("REMOTE_ADDR", ""))):
            return self._get_response(request)
