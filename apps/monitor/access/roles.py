"""The four roles, as Django groups. What they may do is said here; `migrate` writes it down again each time."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from django.contrib.auth.models import Group, Permission
from django.db import transaction
from django.db.models import Q, QuerySet

VIEWER, TRADER, RISK_MANAGER, ADMINISTRATOR = "viewer", "trader", "risk manager", "administrator"
# Of this floor itself everybody sees what wakes people, how that reached them, and how all do.
SEEN = (
    "view_alert", "view_alertrule", "view_channel", "view_delivery", "view_heartbeat", "view_report",
    "view_slo", "view_slosample",
)  # fmt: skip
FLOORS = ("exchanges", "risk", "strategies", "django_celery_beat")
# Besides looking at everything. A trader may stop what he cannot let go on again; a risk manager may let it go on, and
# opens no position; an administrator may do everything, and gives others their roles.
MAY: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        VIEWER: frozenset(),
        TRADER: frozenset(
            {
                "exchanges.add_order", "exchanges.add_ordercommand", "exchanges.add_veto", "exchanges.change_position",
                "strategies.add_backtestrun", "strategies.add_optimisationrun", "strategies.add_strategyrow",
                "strategies.change_backtestrun", "strategies.change_optimisationrun", "strategies.change_strategyrow",
                "monitor.change_alert",
            }
        ),
        RISK_MANAGER: frozenset(
            {
                "exchanges.add_ordercommand", "exchanges.add_veto", "exchanges.change_tradingstate",
                "monitor.change_alert", "monitor.change_alertrule", "monitor.test_channel", "monitor.view_auditentry",
                "risk.add_customrule", "risk.add_limit", "risk.change_breaker",
                "risk.change_breakerstate", "risk.change_customrule", "risk.change_limit", "strategies.approve_stage",
                "strategies.change_gate", "strategies.change_stageterms",
            }
        ),
    }
)  # fmt: skip


@transaction.atomic
def roles_write() -> None:
    """Give the four groups what they may do, and take from them what they may not. Other groups are left alone."""
    wanted = {name: _permissions(name) for name in (*MAY, ADMINISTRATOR)}
    for name, permissions in wanted.items():
        group, _ = Group.objects.get_or_create(name=name)
        group.permissions.set(permissions)


def _permissions(role: str) -> QuerySet[Permission]:
    if role == ADMINISTRATOR:
        return Permission.objects.filter(content_type__app_label__in=[*FLOORS, "monitor", "auth"])
    chosen = Q(content_type__app_label__in=FLOORS, codename__startswith="view_")
    chosen |= Q(content_type__app_label="monitor", codename__in=SEEN)
    for name in MAY[role]:
        app, _, codename = name.partition(".")
        chosen |= Q(content_type__app_label=app, codename=codename)
    return Permission.objects.filter(chosen)
