"""Requests to the API, counted by the address they were for: as it is described, never as it was asked."""

from __future__ import annotations

from fastapi.routing import APIRoute
from starlette.types import Scope

from moondev.counting.table import API_SECONDS

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
OTHER = "other"


def request_count(scope: Scope, status: int, seconds: float) -> None:
    """Count a request that was answered with `status` after so many seconds."""
    # Put there by the API's router; for who was refused before, or asked for what is not there, it is the whole API.
    found = scope.get("route")
    route = found.path if isinstance(found, APIRoute) else OTHER
    method = scope.get("method", OTHER)
    API_SECONDS.observe(seconds, route, method if method in METHODS else OTHER, f"{status // 100}xx")
