"""How much of what venues allow us is spent."""

from __future__ import annotations

from decimal import Decimal

from apps.exchanges.execution.throttle.shared import spent_of
from apps.exchanges.models import Account
from apps.exchanges.registry import adapter_of
from apps.exchanges.throttling import Budget
from apps.monitor.alerts.look import Look
from apps.monitor.alerts.measured import Measured, Readings, number, scope


def limiter_use(look: Look) -> Readings:
    """Return the share spent of each budget of our internet address and of each account, at each venue."""
    look.cache.ping()  # the budgets themselves fall back to guesses while the cache is away
    rows = Account.objects.filter(enabled=True, venue__enabled=True).order_by("code")
    accounts = list(rows.values_list("code", "address", "venue_id", "venue__protocol"))
    owners = {("address", "", venue, protocol) for _, _, venue, protocol in accounts}
    found: dict[str, Measured] = {}
    for owner, address, venue, protocol in (*sorted(owners), *accounts):
        budgets = adapter_of(protocol).budgets
        sizes = {one.name: one.capacity for one in budgets if isinstance(one, Budget)}
        for name, spent in spent_of(venue, budgets, address).items():
            if sizes.get(name):
                share = number(Decimal(spent) / sizes[name])
                within = (scope("venue", venue), *((scope("account", owner),) if address else ()))
                found[scope("budget", f"{venue}/{owner}/{name}")] = Measured(share, f"{spent} of {sizes[name]}", within)
    return found
