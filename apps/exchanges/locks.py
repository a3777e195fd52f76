"""Every lock of the order path, and the one order in which they are taken.

    the account's reports  ->  exposure rows (sorted)  ->  account  ->  orders (by id)  ->  positions

*The account's reports* is an advisory lock: whoever changes an order that has left APPROVED, a fill, a position or
a command of an account holds it. Under it those rows change for nobody else, so they are read and the outcome is
worked out first, and the exposure rows, which all accounts of a portfolio share, are held only while writing.

Any change of ``Order.reserved`` or ``Position.cost`` is made with the exposure rows of its scopes locked; a job that
locks them may therefore add both up. Rows are locked FOR NO KEY UPDATE: inserting a row that points to them must not
wait. Everything but `only_one` needs an open transaction and lasts until its end.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from apps.exchanges.bulk import fetch, run, values_fetch, values_run
from apps.exchanges.models import ALL_ASSETS, ScopeKind

# First halves of the advisory locks' names, so that they cannot meet another use of the same numbers.
_REPORTS, _CHORES = 7_301, 7_302


class ExposureKey(NamedTuple):
    """One row of the exposure counters; sorts in the order in which rows are locked."""

    scope_kind: str
    scope_key: str
    asset: str


@lru_cache(maxsize=4096)
def exposure_keys(portfolio: str, account: str, strategy: str, asset: str) -> tuple[ExposureKey, ...]:
    """Return the counters in which an order or position counts, named by codes, slug and base coin."""
    return (
        ExposureKey(ScopeKind.PORTFOLIO.value, portfolio, asset),
        ExposureKey(ScopeKind.PORTFOLIO.value, portfolio, ALL_ASSETS),
        ExposureKey(ScopeKind.ACCOUNT.value, account, ALL_ASSETS),
        ExposureKey(ScopeKind.STRATEGY.value, strategy, ALL_ASSETS),
    )


@contextmanager
def only_one(chore: str) -> Iterator[bool]:
    """Yield whether nobody else does `chore` now; hold it while the block runs, in or out of a transaction.

    For work that is harmless when done twice at once but waits long for others: a second one need not wait as well.
    """
    ((ours,),) = fetch("SELECT pg_try_advisory_lock(%s, hashtext(%s))", (_CHORES, chore))
    try:
        yield ours
    finally:
        if ours:
            fetch("SELECT pg_advisory_unlock(%s, hashtext(%s))", (_CHORES, chore))


def lock_reports(account_id: int) -> None:
    """Wait until nobody else changes what has been sent for the account."""
    fetch("SELECT pg_advisory_xact_lock(%s, %s)", (_REPORTS, account_id))


def lock_exposures(keys: Iterable[ExposureKey]) -> dict[ExposureKey, Decimal]:
    """Lock counters in sorted order, making those that are missing; return what each has in use."""
    rows = sorted(set(keys))
    values_run(
        "INSERT INTO exchanges_exposurecounter (scope_kind, scope_key, asset, used)"
        " SELECT v.kind, v.key, v.asset, 0 FROM (VALUES %s) AS v(kind, key, asset)"
        " WHERE NOT EXISTS (SELECT 1 FROM exchanges_exposurecounter e"
        " WHERE e.scope_kind = v.kind AND e.scope_key = v.key AND e.asset = v.asset)"
        " ORDER BY 1, 2, 3 ON CONFLICT DO NOTHING",
        rows,
    )
    return _select_exposures(rows, "FOR NO KEY UPDATE OF e")


def lock_free_exposures(keys: Iterable[ExposureKey]) -> frozenset[ExposureKey]:
    """Lock those counters that nobody else holds, without waiting; return which.

    For a transaction that holds some already and so may not wait for one that sorts before them.
    """
    return frozenset(_select_exposures(sorted(set(keys)), "FOR NO KEY UPDATE OF e SKIP LOCKED"))


def _select_exposures(rows: list[ExposureKey], locking: str) -> dict[ExposureKey, Decimal]:
    found = values_fetch(
        "SELECT e.scope_kind, e.scope_key, e.asset, e.used FROM exchanges_exposurecounter e"  # noqa: S608  our own words
        " JOIN (VALUES %s) AS v(kind, key, asset)"
        " ON e.scope_kind = v.kind AND e.scope_key = v.key AND e.asset = v.asset"
        f" ORDER BY e.scope_kind, e.scope_key, e.asset {locking}",
        rows,
    )
    return {ExposureKey(kind, key, asset): used for kind, key, asset, used in found}


def added_up(*changes: Mapping[ExposureKey, Decimal]) -> dict[ExposureKey, Decimal]:
    """Return the sum of several changes per counter."""
    total: defaultdict[ExposureKey, Decimal] = defaultdict(Decimal)
    for change in changes:
        for key, amount in change.items():
            total[key] += amount
    return dict(total)


def move_exposures(changes: Mapping[ExposureKey, Decimal]) -> None:
    """Add to counters that are locked already; they never fall below zero.

    A counter that would is one that had drifted; the job that recomputes them puts it right.
    """
    values_run(
        "UPDATE exchanges_exposurecounter e SET used = GREATEST(e.used + v.change, 0)"
        " FROM (VALUES %s) AS v(kind, key, asset, change)"
        " WHERE e.scope_kind = v.kind AND e.scope_key = v.key AND e.asset = v.asset",
        [(*key, change) for key, change in sorted(changes.items()) if change],
        "(%s, %s, %s, %s::numeric)",
    )


def lock_trading_state(scope_kind: str, scope_key: str) -> str:
    """Lock the row of a scope and return its mode; "" when there is none. Needs no other lock and is held alone."""
    rows = fetch(
        "SELECT mode FROM exchanges_tradingstate WHERE scope_kind = %s AND scope_key = %s FOR NO KEY UPDATE",
        (scope_kind, scope_key),
    )
    return str(rows[0][0]) if rows else ""


@dataclass(frozen=True, slots=True)
class SenderLease:
    """The account's lease as it stands, with its row locked."""

    worker: str
    until: datetime | None
    fence: int
    enabled: bool

    def held_by_other(self, worker: str, now: datetime) -> bool:
        """Return whether somebody but `worker` may send for the account now."""
        return bool(self.worker) and self.worker != worker and self.until is not None and self.until > now


def lock_account(account_id: int) -> SenderLease | None:
    """Lock an account's row; None when somebody has it locked this moment, or there is no such account."""
    rows = fetch(
        "SELECT sender, sender_until, fence, enabled FROM exchanges_account WHERE id = %s"
        " FOR NO KEY UPDATE SKIP LOCKED",
        (account_id,),
    )
    return SenderLease(*rows[0]) if rows else None


def lease_take(account_id: int, worker: str, until: datetime, fence: int) -> None:
    """Write the lease of an account whose row is locked."""
    run(
        "UPDATE exchanges_account SET sender = %s, sender_until = %s, fence = %s WHERE id = %s",
        (worker, until, fence, account_id),
    )


def lease_extend(account_id: int, fence: int, now: datetime, until: datetime) -> bool:
    """Prolong a lease that is still ours and has not lapsed; return whether it was."""
    return bool(
        run(
            "UPDATE exchanges_account SET sender_until = %s WHERE id = %s AND fence = %s AND sender_until > %s",
            (until, account_id, fence, now),
        )
    )


def lease_give_back(account_id: int, fence: int) -> None:
    """End a lease early; one that has passed to somebody else is left alone."""
    run(
        "UPDATE exchanges_account SET sender = '', sender_until = NULL WHERE id = %s AND fence = %s",
        (account_id, fence),
    )
