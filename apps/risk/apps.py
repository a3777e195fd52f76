"""Register the risk floor with Django."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class RiskConfig(AppConfig):
    """Configuration of the risk floor."""

    name = "apps.risk"
    label = "risk"
    verbose_name = "Risk"

    def ready(self) -> None:
        """Have the breakers there as soon as their table is."""
        post_migrate.connect(_seed, sender=self)


def _seed(**_: Any) -> None:  # noqa: ANN401  Django's
    # Models exist only once the registry is ready.
    from apps.risk.breakers.seeds import seed  # noqa: PLC0415  models come after apps

    seed()
