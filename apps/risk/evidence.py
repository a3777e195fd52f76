"""Which answers of the venues a reading rests on, so that one answer is never counted as two.

Accounts of a venue take turns, so a pass of the guard may see an account as it was a moment ago. A breach that has to
be seen twice must be seen in two answers of every account it is measured from.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from apps.exchanges.models import Account, ScopeKind
from apps.exchanges.venue_types import AccountSnapshot
from apps.risk.portfolio.strategy_equity import Watched
from apps.risk.scope import ScopeId

# An account that has fallen silent, or whose turn is far off, is not waited for longer than so many looks.
PATIENT_LOOKS = 5


class Evidence:
    """The answers that each scope's last counted reading rests on."""

    def __init__(self) -> None:
        self._counted: dict[ScopeId, dict[int, AccountSnapshot]] = {}
        self._waited: dict[ScopeId, int] = {}

    def is_new(self, scope: ScopeId, accounts: Iterable[int], heard: Mapping[int, AccountSnapshot]) -> bool:
        """Return whether a scope's accounts have all answered anew since this was last true; remember it if so."""
        answers = {pk: heard[pk] for pk in accounts if pk in heard}
        before = self._counted.get(scope, {})
        fresh = {pk for pk, answer in answers.items() if before.get(pk) is not answer}
        waited = self._waited.get(scope, 0) + 1
        if not fresh or not (before.keys() <= fresh or waited >= PATIENT_LOOKS):
            self._waited[scope] = waited
            return False
        self._counted[scope] = answers
        self._waited[scope] = 0
        return True

    def forget(self, scope: ScopeId) -> None:
        """Begin anew with a scope: its next reading is the first."""
        self._counted.pop(scope, None)
        self._waited.pop(scope, None)


def accounts_of(
    scopes: Iterable[ScopeId], accounts: Iterable[Account], watched: Iterable[Watched]
) -> dict[ScopeId, frozenset[int]]:
    """Return the accounts from which the equity of each portfolio or strategy is measured."""
    known = list(accounts)
    strategies = {item.scope: frozenset({item.account.pk}) for item in watched}
    return {
        (kind, key): frozenset(account.pk for account in known if account.portfolio_id == key)
        if kind == ScopeKind.PORTFOLIO
        else strategies.get((kind, key), frozenset())
        for kind, key in scopes
    }
