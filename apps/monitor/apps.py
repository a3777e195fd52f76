"""Register the monitor floor with Django."""

from django.apps import AppConfig


class MonitorConfig(AppConfig):
    """Configuration of the monitor floor."""

    name = "apps.monitor"
    label = "monitor"
    verbose_name = "Monitor"
