"""Register the strategies floor with Django."""

from django.apps import AppConfig


class StrategiesConfig(AppConfig):
    """Configuration of the strategies floor."""

    name = "apps.strategies"
    label = "strategies"
    verbose_name = "Strategies"
