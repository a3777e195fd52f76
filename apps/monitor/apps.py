"""Register the monitor floor with Django."""

from __future__ import annotations

import atexit
import logging
from typing import Any

from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db import DatabaseError, InterfaceError
from django.db.models.signals import post_migrate, pre_migrate

logger = logging.getLogger(__name__)


class MonitorConfig(AppConfig):
    """Configuration of the monitor floor."""

    name = "apps.monitor"
    label = "monitor"
    verbose_name = "Monitor"

    def ready(self) -> None:
        """Have roles and the audit's triggers there as soon as their tables are; write down who comes and goes."""
        # Models exist only once the registry is ready.
        from apps.monitor.audit import logins  # noqa: PLC0415  models come after apps

        pre_migrate.connect(_stop_watching, sender=self)
        post_migrate.connect(_prepare, sender=self)
        user_logged_in.connect(logins.logged_in)
        user_logged_out.connect(logins.logged_out)
        user_login_failed.connect(logins.login_failed)


def _stop_watching(plan: list[Any], **_: Any) -> None:  # noqa: ANN401  Django's
    """Take the triggers away while tables change: PostgreSQL alters no table that has deferred triggers waiting."""
    from apps.monitor.audit.triggers import triggers_remove  # noqa: PLC0415  models come after apps

    if plan:
        # A migration that fails ends the process, and nobody is told that migrations are over.
        atexit.register(_watch_again)
        triggers_remove()


def _watch_again() -> None:
    """Put the triggers back after a `migrate` that failed: what people change until the next one is written as well."""
    from apps.monitor.audit.triggers import triggers_install  # noqa: PLC0415  models come after apps

    try:
        triggers_install()
    except (DatabaseError, InterfaceError):
        logger.exception("what people do is not written into the audit trail until migrate has succeeded")


def _prepare(**_: Any) -> None:  # noqa: ANN401  Django's
    from apps.monitor.access.roles import roles_write  # noqa: PLC0415  models come after apps
    from apps.monitor.alerts.seeds import seed  # noqa: PLC0415  models come after apps
    from apps.monitor.audit.triggers import triggers_install  # noqa: PLC0415  models come after apps

    roles_write()
    triggers_install()
    atexit.unregister(_watch_again)
    seed()
