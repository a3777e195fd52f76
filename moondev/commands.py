"""What our management commands have in common."""

from __future__ import annotations

from django.core.management.base import BaseCommand


class PromptCommand(BaseCommand):
    """A command that begins at once.

    Django's checks before each command load every page of the admin and all it leads to: 2 s and 130 MB, in every
    stream and before every kill switch. `manage.py check` makes them, as part of `make check`.
    """

    requires_system_checks: list[str] = []
