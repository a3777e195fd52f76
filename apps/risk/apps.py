"""Register the risk floor with Django."""

from django.apps import AppConfig


class RiskConfig(AppConfig):
    """Configuration of the risk floor."""

    name = "apps.risk"
    label = "risk"
    verbose_name = "Risk"
