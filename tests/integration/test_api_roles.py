"""Every route and every role: a viewer can do nothing but look, and nobody more than his role."""

from __future__ import annotations

import pytest

from apps.exchanges.models import Order, OrderCommand, TradingState, Veto
from apps.monitor.access.roles import ADMINISTRATOR, RISK_MANAGER, TRADER, VIEWER
from apps.monitor.models import AuditEntry
from apps.risk.models import Limit
from apps.strategies.models import StrategyRow
from tests.integration.api_world import ROLES, Client, person, served, small_world, token_of, tokens_of_roles

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]
ALL = set(ROLES)
TRADERS, RISK, BOTH = {TRADER, ADMINISTRATOR}, {RISK_MANAGER, ADMINISTRATOR}, {TRADER, RISK_MANAGER, ADMINISTRATOR}
# Who may. A route that is missing here fails the test below.
MAY = {
    "GET /strategies": ALL,
    "GET /strategies/{slug}": ALL,
    "GET /strategies/{slug}/settings": ALL,
    "PATCH /strategies/{slug}/settings": TRADERS,
    "GET /strategies/{slug}/ticks": ALL,
    "POST /strategies/{slug}/ticks": TRADERS,
    "GET /ticks/{tick_id}": ALL,
    "GET /strategies/{slug}/events": ALL,
    "POST /strategies/{slug}/enable": TRADERS,
    "POST /strategies/{slug}/resume": TRADERS,
    "POST /strategies/{slug}/pause": BOTH,
    "POST /strategies/{slug}/disable": BOTH,
    "GET /strategies/{slug}/stage": ALL,
    "POST /strategies/{slug}/stage/approve": BOTH - {TRADER},
    "POST /strategies/{slug}/stage/promote": TRADERS,
    "POST /strategies/{slug}/stage/demote": BOTH,
    "GET /accounts": ALL,
    "GET /positions": ALL,
    "POST /positions/take": TRADERS,
    "POST /positions/return": TRADERS,
    "GET /fills": ALL,
    "GET /orders": ALL,
    "POST /orders": TRADERS,
    "GET /orders/{order_id}": ALL,
    "POST /orders/{order_id}/cancel": BOTH,
    "GET /pnl": ALL,
    "GET /equity": ALL,
    "GET /risk/limits": ALL,
    "POST /risk/limits": RISK,
    "GET /risk/limits/{limit_id}": ALL,
    "PATCH /risk/limits/{limit_id}": RISK,
    "GET /risk/limits/{limit_id}/changes": ALL,
    "GET /risk/use": ALL,
    "GET /risk/breakers": ALL,
    "POST /risk/breakers/reset": RISK,
    "GET /risk/halt": ALL,
    "POST /risk/halt": BOTH,
    "GET /risk/releases": ALL,
    "POST /risk/releases": RISK,
    "POST /risk/releases/{release_id}/confirm": RISK,
    "POST /risk/releases/{release_id}/withdraw": RISK,
    "POST /risk/drills": RISK,
    "GET /risk/drills/{drill_id}": ALL,
    "GET /venues": ALL,
    "GET /health": ALL,
    "GET /metrics": ALL,
    "GET /slos": ALL,
    "GET /backtests": ALL,
    "POST /backtests": TRADERS,
    "GET /backtests/{run_id}": ALL,
    "DELETE /backtests/{run_id}": TRADERS,
    "GET /backtests/{run_id}/report": ALL,
    "GET /audit": RISK,
    "GET /analytics/figures": ALL,
    "GET /analytics/figures/{scope}": ALL,
    "GET /analytics/round-trips": ALL,
    "GET /analytics/drift": ALL,
    "GET /reports": ALL,
    "GET /reports/{report_id}": ALL,
    "GET /reports/{report_id}/page": ALL,
    "GET /exports/{kind}": ALL,
    "GET /channels": ALL,
    "POST /channels/{slug}/test": RISK,
    "GET /deliveries": ALL,
    "GET /alerts": ALL,
    "GET /alerts/report": ALL,
    "GET /alerts/{alert_id}": ALL,
    "POST /alerts/{alert_id}/acknowledge": BOTH,
    "GET /alert-rules": ALL,
    "GET /alert-rules/{slug}": ALL,
    "GET /alert-rules/{slug}/trials": ALL,
    "PATCH /alert-rules/{slug}": RISK,
}


@pytest.fixture
def home():
    with served() as address:
        yield address


def ask(client, route):
    """Ask a route about things that are not there: who may gets another 4xx than 401 and 403, and changes nothing."""
    method, _, path = route.partition(" ")
    for name in ("order_id", "limit_id", "release_id", "drill_id", "run_id", "alert_id", "report_id", "tick_id"):
        path = path.replace(f"{{{name}}}", "999999")
    body = None if method == "GET" else {}
    return client.request(method, path.replace("{slug}", "nobody"), json=body).status_code


def test_every_route_asks_for_the_right_role(home, settings):
    settings.API_RATE_OF_FAILURES = "10000/second"
    tokens = tokens_of_roles()
    admin = Client(home, tokens[ADMINISTRATOR])
    described = admin.get("/openapi.json").json()["paths"]
    assert set(MAY) == {f"{method.upper()} {path}" for path, methods in described.items() for method in methods}
    clients = {role: Client(home, token) for role, token in tokens.items()}
    reader = Client(home, token_of(person(ADMINISTRATOR, "reader"), ["read"]))
    nobody = Client(home)
    for route, allowed in MAY.items():
        for role, client in clients.items():
            status = ask(client, route)
            assert (status == 403) == (role not in allowed), (route, role, status)
            assert status < 500, (route, role)
        # A token does no more than its scopes, whoever's it is; and nobody does nothing.
        assert (ask(reader, route) == 403) == (not route.startswith("GET") or route == "GET /audit"), route
        assert ask(nobody, route) == 401, route


def test_a_viewer_changes_nothing_whatever_he_sends(home):
    world = small_world()
    tokens = tokens_of_roles()
    viewer = Client(home, tokens[VIEWER])
    before = AuditEntry.objects.exclude(action__startswith="api ").count()
    slug, why = "/strategies/turtle", {"reason": "because I can"}
    tries = [
        ("POST", f"{slug}/pause", why), ("POST", f"{slug}/disable", why), ("POST", f"{slug}/ticks", why),
        ("PATCH", f"{slug}/settings", why | {"priority": 9}),
        ("POST", f"{slug}/stage/demote", why | {"to": "research"}),
        ("POST", "/positions/take", why | {"strategy": "turtle", "instrument": "hyperliquid:BTC"}),
        ("POST", "/orders", why | {"account": "paper-1", "instrument": "hyperliquid:BTC", "side": "buy"}),
        ("POST", f"/orders/{world.order.pk}/cancel", why),
        ("POST", "/risk/halt", why | {"scope": "everything"}),
        ("POST", "/risk/releases", why | {"scope": "everything"}),
        ("PATCH", f"/risk/limits/{Limit.objects.first().pk}", why | {"value": 9}),
        ("POST", "/risk/drills", {"scope": "account:paper-1"}),
    ]  # fmt: skip
    for method, address, body in tries:
        told = viewer.request(method, address, json=body, headers={"If-Match": "*", "Idempotency-Key": address})
        assert told.status_code == 403, (method, address, told.text)
        assert told.headers["content-type"] == "application/problem+json"
    assert AuditEntry.objects.exclude(action__startswith="api ").count() == before
    assert AuditEntry.objects.filter(action__startswith="api ", after__status=403).count() == len(tries)
    assert not Veto.objects.exists()
    assert not OrderCommand.objects.exists()
    assert Order.objects.count() == 1
    assert StrategyRow.objects.get().enabled
    assert set(TradingState.objects.values_list("mode", flat=True)) == {"active"}
