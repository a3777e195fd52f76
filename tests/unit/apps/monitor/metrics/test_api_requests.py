"""Requests are counted by what is described, so that nobody can make labels by asking."""

from __future__ import annotations

from fastapi.routing import APIRoute
from starlette.routing import Mount

from apps.monitor.metrics.api_requests import request_count
from moondev.counting.table import API_SECONDS


def test_a_request_counts_for_its_route_and_what_is_made_up_for_none() -> None:
    told = [
        ({"method": "GET", "route": APIRoute("/orders/{order_id}", print)}, 200, ("/orders/{order_id}", "GET", "2xx")),
        ({"method": "GET", "route": Mount("/api/v1", routes=[])}, 404, ("other", "GET", "4xx")),
        ({"method": "BREW-17"}, 405, ("other", "other", "4xx")),
    ]
    before = [API_SECONDS.count(*labels) for _, _, labels in told]
    for scope, status, _ in told:
        request_count(scope, status, 0.01)
    assert [API_SECONDS.count(*labels) - was for (_, _, labels), was in zip(told, before, strict=True)] == [1, 1, 1]
