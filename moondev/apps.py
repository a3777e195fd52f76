"""Bind the Celery app and the operators' admin site to every Django process."""

from importlib import import_module

from django.apps import AppConfig
from django.contrib.admin.apps import SimpleAdminConfig


class MoondevConfig(AppConfig):
    """Make ``@shared_task`` use our Celery app in every process that loads Django."""

    name = "moondev"
    label = "moondev"
    verbose_name = "MoonDev"

    def ready(self) -> None:
        """Import the Celery app: without it a web process would publish to a default broker."""
        import_module("moondev.celery")


class OperationsConfig(SimpleAdminConfig):
    """Django's admin with our site in place of its own: ``admin.site`` everywhere is the operators'.

    Its pages are registered by the addresses (moondev/urls.py), not by every process that starts: they lead to all
    that operators can see, backtests and their libraries included, which is 2 s and 130 MB that no stream needs.
    """

    default_site = "moondev.admin_site.OperationsSite"
