"""What figures are about: one strategy, account or portfolio, or everything of one environment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from apps.exchanges.models import Account, ScopeKind
from apps.exchanges.models.venues import Environment
from apps.risk.portfolio.keeper import reporting_currencies
from apps.risk.scope import ScopeId
from apps.strategies.models import StrategyRow
from moondev.domain.errors import InvalidValue

TOTAL = "total"
KINDS = (TOTAL, ScopeKind.PORTFOLIO.value, ScopeKind.ACCOUNT.value, ScopeKind.STRATEGY.value)
WORDS = "total:<environment>, portfolio:<code>, account:<code> or strategy:<slug>"


@dataclass(frozen=True, slots=True)
class Subject:
    """One of them, with the accounts whose trades count and the currency in which its money is told.

    `strategy` None: every owner's trades on the accounts count, those of UNASSIGNED too.
    """

    kind: str
    key: str
    environment: str
    currency: str
    accounts: frozenset[int] = field(default_factory=frozenset)
    strategy: str | None = None

    @property
    def scope(self) -> ScopeId:
        """Return the scope under which its equity is kept."""
        return (self.kind, self.key)

    def owns(self, account_id: int, strategy: str) -> bool:
        """Return whether what an owner traded on an account counts here."""
        return account_id in self.accounts and self.strategy in {None, strategy}


def subject_named(text: str) -> Subject:
    """Return what `kind:key` names. Raises InvalidValue for what is not there."""
    kind, _, key = text.partition(":")
    if kind not in KINDS or not key:
        raise InvalidValue("scope", text, WORDS)
    found = [one for one in subjects(kind) if one.key == key]
    if not found:
        raise InvalidValue(
            "scope", text, f"one that there is: {', '.join(one.key for one in subjects(kind)) or 'none'}"
        )
    return found[0]


def subjects(kind: str, environment: str | None = None) -> list[Subject]:
    """Return every one of a kind, by name. Raises InvalidValue for another kind."""
    if kind not in KINDS:
        raise InvalidValue("level", kind, ", ".join(KINDS))
    accounts = list(Account.objects.select_related("portfolio").order_by("code"))
    every = {
        TOTAL: _totals,
        ScopeKind.PORTFOLIO.value: _portfolios,
        ScopeKind.ACCOUNT.value: _accounts,
        ScopeKind.STRATEGY.value: _strategies,
    }[kind](accounts)
    return [one for one in every if environment in {None, one.environment}]


def _totals(accounts: Sequence[Account]) -> list[Subject]:
    currencies = reporting_currencies({account.portfolio_id: account.portfolio for account in accounts}.values())
    members: dict[str, set[int]] = {}
    for account in accounts:
        members.setdefault(account.portfolio.environment, set()).add(account.pk)
    # Paper money and real money are never added up.
    return [
        Subject(TOTAL, name, name, currencies[name], frozenset(members[name]))
        for name in Environment.values
        if name in members
    ]


def _portfolios(accounts: Sequence[Account]) -> list[Subject]:
    found = {account.portfolio_id: account.portfolio for account in accounts}
    return [
        Subject(
            ScopeKind.PORTFOLIO.value, code, portfolio.environment, portfolio.currency,
            frozenset(account.pk for account in accounts if account.portfolio_id == code),
        )
        for code, portfolio in sorted(found.items())
    ]  # fmt: skip


def _accounts(accounts: Sequence[Account]) -> list[Subject]:
    kind = ScopeKind.ACCOUNT.value
    return [Subject(kind, one.code, one.portfolio.environment, one.currency, frozenset({one.pk})) for one in accounts]


def _strategies(accounts: Sequence[Account]) -> list[Subject]:
    """Return every strategy, in its own account's currency; a stand-in's trades count where money is as real."""
    alike: dict[str, set[int]] = {}
    for account in accounts:
        alike.setdefault(account.portfolio.environment, set()).add(account.pk)
    rows = StrategyRow.objects.select_related("account", "account__portfolio").order_by("slug")
    return [
        Subject(
            ScopeKind.STRATEGY.value, row.slug, row.account.portfolio.environment, row.account.currency,
            frozenset(alike[row.account.portfolio.environment]), row.slug,
        )
        for row in rows
    ]  # fmt: skip
