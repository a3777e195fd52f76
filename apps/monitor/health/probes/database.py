"""PostgreSQL, by a session of its own: that one can be had is the question."""

from __future__ import annotations

from functools import lru_cache

from django.db import connection
from django.db.migrations.loader import MigrationLoader

from apps.monitor.health.probes.probe import Answer
from apps.monitor.health.states import State

CROWDED_SHARE = 0.9


def ask_database() -> Answer:
    """Return how the database does. Raises DatabaseError."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_postmaster_start_time(), pg_is_in_recovery(), current_setting('max_connections')::int,"
                " (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend')"
            )
            started, replica, most, sessions = cursor.fetchone()
    finally:
        connection.close()
    if replica:
        return Answer(State.DOWN, "a replica: nothing can be written", started)
    if sessions >= CROWDED_SHARE * most:
        return Answer(State.DEGRADED, f"{sessions} of {most} sessions are taken", started)
    return Answer(State.OK, "", started)


def ask_migrations() -> Answer:
    """Return whether the database is as our code wants it. Raises DatabaseError."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT app, name FROM django_migrations")
            applied = set(cursor.fetchall())
    finally:
        connection.close()
    lacking = sorted(_wanted() - applied)
    if not lacking:
        return Answer(State.OK)
    app, name = lacking[0]
    return Answer(State.DOWN, f"{len(lacking)} not applied, the first is {app} {name}: manage.py migrate")


@lru_cache(maxsize=1)
def _wanted() -> frozenset[tuple[str, str]]:
    """Return the migrations that came with the code of this process."""
    return frozenset(MigrationLoader(None).disk_migrations or ())
