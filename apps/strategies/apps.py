"""Register the strategies floor with Django."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class StrategiesConfig(AppConfig):
    """Configuration of the strategies floor."""

    name = "apps.strategies"
    label = "strategies"
    verbose_name = "Strategies"

    def ready(self) -> None:
        """Have the gates there as soon as their tables are."""
        post_migrate.connect(_seed, sender=self)


def _seed(**_: Any) -> None:  # noqa: ANN401  Django's
    # Models exist only once the registry is ready.
    from apps.strategies.promotion.seeds import seed  # noqa: PLC0415  models come after apps

    seed()
