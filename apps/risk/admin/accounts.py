"""Accounts, with what they may do now and the steps to change that."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest

from apps.exchanges.admin.accounts import AccountAdmin, adopt
from apps.exchanges.models import Account, ScopeKind, TradingMode, TradingState
from apps.risk.admin.badges import mode_badge
from apps.risk.admin.steps import FLATTEN, HALT, REDUCE, RELEASE, VetoPermission, step_action
from apps.risk.scope import ScopeId


def scope_of(account: Account) -> ScopeId:
    """Return the scope of an account."""
    return (ScopeKind.ACCOUNT.value, account.code)


@admin.register(Account)
class GuardedAccountAdmin(VetoPermission, AccountAdmin):
    """The exchange floor's page of accounts, and the kill switch for each."""

    list_display = ["code", "show_mode", "venue", "portfolio", "address", "currency", "shared", "enabled"]
    actions = [*(step_action(step, scope_of) for step in (HALT, REDUCE, FLATTEN, RELEASE)), adopt]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Account]:
        """Fetch what each account may do along with it."""
        states = TradingState.objects.filter(scope_kind=ScopeKind.ACCOUNT, scope_key=OuterRef("code"))
        return super().get_queryset(request).annotate(mode=Subquery(states.values("mode")[:1]))

    @admin.display(description="may trade", ordering="mode")
    def show_mode(self, account: Account) -> str:
        """Return the account's own mode; one that nobody has released yet is halted."""
        return mode_badge(getattr(account, "mode", None) or TradingMode.HALTED)
