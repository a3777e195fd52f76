"""The portfolio truth: written by the guard each second, read by everybody else. Readers compute nothing.

Paper money and real money are never added up: there is one truth per environment.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from apps.exchanges.bulk import fetch, run, values_run
from apps.exchanges.execution.timing import lasting
from apps.exchanges.models.venues import Environment
from apps.risk.models import Level
from apps.risk.portfolio.figures import AMOUNTS, Figures
from apps.risk.portfolio.valuation import Key
from moondev.domain.clock import process_clock

# The guard writes every second. What is older than this says nothing about now.
MAX_AGE_SECONDS = 5.0
# What has not been written for so long is no longer there: an account that was disabled, a strategy that is gone.
FORGOTTEN_SECONDS = 60.0
_MOST_REAL_FIRST = (Environment.LIVE.value, Environment.TESTNET.value, Environment.PAPER.value)
_COLUMNS = ("environment", "level", "key", "currency", *AMOUNTS, "why", "taken_at")
_READ = f"SELECT {', '.join(_COLUMNS)} FROM risk_truthrow ORDER BY key"  # noqa: S608  our own names
_WRITE = (
    f"INSERT INTO risk_truthrow AS t ({', '.join(_COLUMNS)}) VALUES %s"  # noqa: S608  our own names
    " ON CONFLICT (environment, level, key) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS[3:])
    + " WHERE t.taken_at <= excluded.taken_at"
)


@dataclass(frozen=True, slots=True)
class Truth:
    """The figures of one environment, all in `currency`; who has none yet is missing.

    `total` is everything together; the others are by portfolio code, account code, venue code, slug of the strategy
    (UNASSIGNED: what nobody owns) and base coin, across venues.
    """

    environment: str
    currency: str
    total: Figures
    portfolios: Mapping[str, Figures] = field(default_factory=dict)
    accounts: Mapping[str, Figures] = field(default_factory=dict)
    venues: Mapping[str, Figures] = field(default_factory=dict)
    strategies: Mapping[str, Figures] = field(default_factory=dict)
    assets: Mapping[str, Figures] = field(default_factory=dict)


def read_truth(now: datetime, environment: str | None = None) -> Truth:
    """Return the truth of an environment, in one query; None means the most real one that has any.

    Figures that are older than MAX_AGE_SECONDS real seconds are unknown: their amounts are None, and `why` says so.
    """
    found = read_truths(now)
    for name in _MOST_REAL_FIRST if environment is None else (environment,):
        if name in found:
            return found[name]
    nothing = Figures(currency="", why="risk_guard has written nothing yet")
    return Truth(environment or Environment.PAPER.value, "", nothing)


def read_truths(now: datetime) -> dict[str, Truth]:
    """Return the truth of every environment that has one, in one query."""
    oldest = now - lasting(process_clock(), MAX_AGE_SECONDS)
    found: dict[str, dict[str, dict[str, Figures]]] = {}
    for environment, level, key, currency, *amounts, why, taken_at in fetch(_READ):
        if taken_at < oldest:
            figures = Figures(currency=currency, why=f"last written {taken_at:%Y-%m-%d %H:%M:%S}", taken_at=taken_at)
        else:
            named = dict(zip(AMOUNTS, amounts, strict=True))
            figures = Figures(currency=currency, why=why, taken_at=taken_at, **named)
        found.setdefault(environment, {}).setdefault(level, {})[key] = figures
    return {name: _truth(name, levels) for name, levels in found.items() if name in levels.get(Level.TOTAL, {})}


def truth_write(figures: Mapping[Key, Figures], now: datetime) -> None:
    """Write figures down in one statement, and forget what is no longer written. An older pass changes nothing."""
    rows = [
        (*key, f.currency, *(getattr(f, name) for name in AMOUNTS), f.why, f.taken_at or now)
        for key, f in sorted(figures.items())
    ]
    template = f"(%s, %s, %s, %s, {', '.join(['%s::numeric'] * len(AMOUNTS))}, %s, %s::timestamptz)"
    values_run(_WRITE, rows, template)
    run("DELETE FROM risk_truthrow WHERE taken_at < %s", (now - lasting(process_clock(), FORGOTTEN_SECONDS),))


def _truth(environment: str, levels: Mapping[str, Mapping[str, Figures]]) -> Truth:
    total = levels[Level.TOTAL][environment]
    return Truth(
        environment,
        total.currency,
        total,
        portfolios=levels.get(Level.PORTFOLIO, {}),
        accounts=levels.get(Level.ACCOUNT, {}),
        venues=levels.get(Level.VENUE, {}),
        strategies=levels.get(Level.STRATEGY, {}),
        assets=levels.get(Level.ASSET, {}),
    )
