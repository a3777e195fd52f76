"""A place where a scenario can do no harm: a database of its own, no Redis, no broker, a halt file nobody reads."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from django.conf import settings
from django.db import connection

# A port of this machine at which nobody listens: Redis and broker are away, as they may well be on such a day.
_NOBODY = "127.0.0.1:1"


@contextmanager
def apart() -> Iterator[dict[str, str]]:
    """Make an empty database while the block runs; yield the environment of a process that knows no other.

    Raises DatabaseError when this role may not create databases.
    """
    name = f"{settings.DATABASES['default']['NAME']}_scenario_{os.getpid()}"
    quoted = connection.ops.quote_name(name)
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {quoted}")
    try:
        with tempfile.TemporaryDirectory() as folder:
            yield _environment(name, Path(folder))
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE {quoted} WITH (FORCE)")


def _environment(database: str, folder: Path) -> dict[str, str]:
    """Return this process's environment with every door to the real platform replaced."""
    replaced = {
        "DATABASE_URL": _url(database),
        "REDIS_URL": f"redis://{_NOBODY}/0",
        "BROKER_URL": f"amqp://guest:guest@{_NOBODY}//",
        # No venue has a queue, so no message is published.
        "MOONDEV_VENUES": "none",
        "MOONDEV_HALT_FILE": str(folder / "halt"),
        "MOONDEV_CLOCK": "",
        "MOONDEV_LIVE_TRADING": "",
        "MOONDEV_RATE_LIMITS": "off",
    }
    files = {f"{name}_FILE" for name in replaced}
    return {name: value for name, value in os.environ.items() if name not in files} | replaced


def _url(database: str) -> str:
    ours = settings.DATABASES["default"]
    user, password = quote(str(ours.get("USER") or ""), safe=""), quote(str(ours.get("PASSWORD") or ""), safe="")
    who = f"{user}:{password}" if password else user
    host, port = str(ours.get("HOST") or "127.0.0.1"), ours.get("PORT") or 5432
    if host.startswith("/"):
        return f"postgres://{who}@/{database}?host={host}"
    return f"postgres://{who}@{host}:{port}/{database}"
