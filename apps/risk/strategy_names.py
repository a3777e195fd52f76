"""Which strategies there are, as far as this floor can know: the floor above says in the settings where to ask."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from django.conf import settings
from django.utils.module_loading import import_string

from apps.risk.models import Allocation


def known_strategies() -> set[str]:
    """Return every strategy with money, and those that the floor above knows and that have not traded yet."""
    names: Callable[[], Iterable[str]] = import_string(settings.MOONDEV_STRATEGY_NAMES)
    return {*Allocation.objects.values_list("strategy", flat=True), *names()}
