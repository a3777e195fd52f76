"""A worker keeps its database session from task to task, and leaves a broken one behind."""

import pytest
from celery import signals
from celery.fixups.django import DjangoWorkerFixup
from django.db import OperationalError, connection

from moondev.celery import app

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _kept_sessions(settings):
    """Keep sessions as a running platform does; tests usually close theirs."""
    connection.settings_dict |= {"CONN_MAX_AGE": 600, "CONN_HEALTH_CHECKS": True}
    connection.close()
    yield
    connection.settings_dict |= {"CONN_MAX_AGE": 0, "CONN_HEALTH_CHECKS": False}
    connection.close()


def _session() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return cursor.fetchone()[0]


def test_a_task_inherits_the_session_of_the_one_before():
    before = _session()
    DjangoWorkerFixup(app).close_database()
    signals.task_prerun.send(sender=None)
    assert _session() == before


def test_a_task_begins_with_a_working_session_when_the_last_one_broke():
    before = _session()
    with pytest.raises(OperationalError), connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    signals.task_prerun.send(sender=None)
    assert _session() != before


def test_a_task_begins_with_a_working_session_when_the_server_ended_it_meanwhile():
    before = _session()
    from django.db import connections

    other = connections.create_connection("default")
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [before])
    other.close()
    signals.task_prerun.send(sender=None)
    assert _session() != before
