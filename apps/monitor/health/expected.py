"""Which processes there ought to be: those that `manage.py up` starts, for the venues that are switched on."""

from __future__ import annotations

from collections.abc import Collection

from django.conf import settings

from apps.exchanges.accounts.watched import watched_accounts
from apps.exchanges.models import Venue
from apps.monitor.demo.ports import Ports
from apps.monitor.demo.processes import platform_processes

# Flower is a window on the workers; it runs no code of ours and does not beat.
NOT_OURS = frozenset({"flower"})
# Names are all that is asked for here.
_ANY_PORTS = Ports(mock=1, web=1)


def expected_names() -> tuple[str, ...]:
    """Return the names of the processes that ought to run, in the order in which they are started.

    Leaves out MOONDEV_PROCESSES_NOT_RUN. Raises DatabaseError.
    """
    venues = expected_venues()
    return names_for(venues, set(watched_accounts().filter(venue__in=venues).values_list("venue", flat=True)))


def configured_names() -> tuple[str, ...]:
    """Return the names as far as they are known without a database: every configured venue counts as switched on."""
    return names_for(settings.MOONDEV_VENUES, settings.MOONDEV_VENUES)


def expected_venues() -> list[str]:
    """Return the venues that are switched on and have queues. Raises DatabaseError."""
    switched_on = Venue.objects.filter(enabled=True, code__in=settings.MOONDEV_VENUES)
    return list(switched_on.order_by("pk").values_list("code", flat=True))


def names_for(venues: Collection[str], listening: Collection[str]) -> tuple[str, ...]:
    """Return the names for some venues; only one with accounts (`listening`) has anything to hear of them."""
    unneeded = {f"stream-user-{venue}" for venue in venues if venue not in listening}
    left_out = {*NOT_OURS, *settings.MOONDEV_PROCESSES_NOT_RUN, *unneeded}
    names = (spec.name for spec in platform_processes(list(venues), _ANY_PORTS))
    return tuple(name for name in names if name not in left_out)
