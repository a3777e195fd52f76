"""Bind the Celery app to every Django process."""

from importlib import import_module

from django.apps import AppConfig


class MoondevConfig(AppConfig):
    """Make ``@shared_task`` use our Celery app in every process that loads Django."""

    name = "moondev"
    label = "moondev"
    verbose_name = "MoonDev"

    def ready(self) -> None:
        """Import the Celery app: without it a web process would publish to a default broker."""
        import_module("moondev.celery")
