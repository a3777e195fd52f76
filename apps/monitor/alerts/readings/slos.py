"""How fast error budgets go. Rates over hours do not change within seconds, so they are reckoned once a minute."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import lru_cache

from apps.monitor.alerts.look import Look
from apps.monitor.alerts.measured import Measured, Readings, number, scope
from apps.monitor.health.slos.standing import Burn, burn_rates


def budget_burn(window: str) -> Callable[[Look], Readings]:
    """Return the reading of burn rates over one of BURN_WINDOWS: 1 uses an objective's budget up in its window."""

    def take(look: Look) -> Readings:
        found = _burns(look.now.replace(second=0, microsecond=0))
        return {scope("objective", burn.slug): _measured(burn) for burn in found if burn.window == window}

    return take


def _measured(burn: Burn) -> Measured:
    return Measured(number(burn.rate), f"{burn.title}: {burn.bad} of {burn.total} bad within {burn.window}")


@lru_cache(maxsize=1)
def _burns(minute: datetime) -> tuple[Burn, ...]:
    return burn_rates(minute)
