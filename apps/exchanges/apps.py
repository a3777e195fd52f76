"""Register the exchanges floor with Django."""

from django.apps import AppConfig


class ExchangesConfig(AppConfig):
    """Configuration of the exchanges floor."""

    name = "apps.exchanges"
    label = "exchanges"
    verbose_name = "Exchanges"
