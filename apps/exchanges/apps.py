"""Register the exchanges floor with Django."""

from celery.signals import celeryd_after_setup
from django.apps import AppConfig


class ExchangesConfig(AppConfig):
    """Configuration of the exchanges floor."""

    name = "apps.exchanges"
    label = "exchanges"
    verbose_name = "Exchanges"

    def ready(self) -> None:
        """Have workers of a venue open their sessions before they take messages."""
        from apps.exchanges.execution.readiness import worker_get_ready  # noqa: PLC0415  it needs the models

        celeryd_after_setup.connect(worker_get_ready, weak=False, dispatch_uid="exchanges.readiness")
