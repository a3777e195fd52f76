"""What accounts have gone through lately: how often each kind of event, in the last hour and a little more."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from itertools import groupby

from apps.exchanges.bulk import fetch
from apps.exchanges.models import Account, AccountEvent
from apps.exchanges.orders.events import QUIET
from apps.monitor.alerts.look import Look
from apps.monitor.alerts.measured import Measured, Readings, scope

# What lasts is written down once within QUIET: within less than that it would look over, and people would be told so.
WINDOW = QUIET + timedelta(minutes=5)
# The newest so many are looked at: the table has no index by time, and more than that is an alert anyway.
NEWEST = 2_000
Kind = AccountEvent.Kind


@dataclass(frozen=True, slots=True)
class _Happened:
    account: str
    kind: str
    times: int
    message: str


def happened(*kinds: AccountEvent.Kind) -> Callable[[Look], Readings]:
    """Return a reading: how often events of `kinds` have happened to each enabled account within WINDOW."""

    def take(look: Look) -> Readings:
        found = _recent(look)
        return {
            scope("account", code): _measured(found.get(code, []), kinds, venue)
            for code, venue in _accounts(look).items()
        }

    return take


def differing(look: Look) -> Readings:
    """Return how many symbols of each account the ledger and the venue hold different sizes of, unexplained."""
    rows = Account.objects.filter(enabled=True).values_list("code", "venue_id", "differing")
    return {
        scope("account", code): Measured(
            Decimal(len(symbols)), ", ".join(str(symbol) for symbol in symbols)[:300], (scope("venue", venue),)
        )
        for code, venue, symbols in look.once("differing", lambda: list(rows))
    }


def _measured(events: list[_Happened], kinds: Collection[str], venue: str) -> Measured:
    wanted = [event for event in events if event.kind in kinds]
    words = "; ".join(f"{Kind(event.kind).label}: {event.message}" for event in wanted)
    return Measured(Decimal(sum(event.times for event in wanted)), words[:400], (scope("venue", venue),))


def _recent(look: Look) -> dict[str, list[_Happened]]:
    """Return what happened within WINDOW by account: of each kind how often, and what was said the last time."""

    def read() -> dict[str, list[_Happened]]:
        rows = fetch(
            "SELECT a.code, e.kind, count(*), (array_agg(e.message ORDER BY e.id DESC))[1]"
            " FROM (SELECT * FROM exchanges_accountevent ORDER BY id DESC LIMIT %s) e"
            " JOIN exchanges_account a ON a.id = e.account_id WHERE e.at >= %s GROUP BY 1, 2 ORDER BY 1, 2",
            (NEWEST, look.now - WINDOW),
        )
        return {code: [_Happened(*row) for row in group] for code, group in groupby(rows, key=lambda row: row[0])}

    return look.once("account events", read)


def _accounts(look: Look) -> dict[str, str]:
    rows = Account.objects.filter(enabled=True).values_list("code", "venue_id")
    return look.once("accounts", lambda: dict(rows))
