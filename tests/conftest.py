"""What every test stands on: sockets shut in unit tests, the log context empty at the start of each."""

import contextlib
import functools
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from django.db import connection
from django.test import TransactionTestCase
from pytest_socket import disable_socket, enable_socket, socket_allow_hosts
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

# Written by migrations and the same for every test: permissions and what they refer to.
KEPT_TABLES = frozenset({"django_migrations", "django_content_type", "auth_permission"})
# Known to no model, and written by the guard in whatever test it runs.
SERIES_TABLES = frozenset({"risk_equitypoint", "risk_equityscope"})

UNIT = Path(__file__).parent / "unit"
# Tests that share a broker or a numbered database with each other: one process runs them, one after the other. Those
# of chaos have servers of their own, and only each other to mind.
TOGETHER = {"acceptance": "servers", "browser": "servers", "integration": "servers", "chaos": "chaos"}

# These bring servers and ports of their own.
ALONE = frozenset({"test_demo.py", "test_demo_ends.py", "test_demo_outage.py"})


class ByFolder(LoadScopeScheduling):
    """Spreads files over the processes of a run, and keeps together what must not run at the same time."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::", maxsplit=1)[0]
        if Path(file).name in ALONE:
            return file
        return TOGETHER.get(Path(file).parts[1], file)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByFolder:
    """Let this project's scheduler spread the tests."""
    return ByFolder(config, log)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Shut the network in unit tests; a unit test with a database may speak to this machine only."""
    if not item.path.is_relative_to(UNIT):
        enable_socket()
        return
    if item.get_closest_marker("django_db"):
        enable_socket()
        socket_allow_hosts(["127.0.0.1", "::1", "localhost"], allow_unix_socket=True)
        return
    disable_socket(allow_unix_socket=True)


@pytest.fixture(autouse=True)
def _nothing_is_halted(request: pytest.FixtureRequest) -> None:
    """Take back what an earlier test may have said to the gate outside the database."""
    if not request.node.get_closest_marker("django_db"):
        return
    from apps.exchanges.execution.nudges import redis_nudges
    from apps.exchanges.market_data.cache import market_cache, process_redis

    # An earlier test of this process may have asked another Redis, or none.
    for client_of in (redis_nudges, process_redis, market_cache):
        client_of.cache_clear()
    settings = request.getfixturevalue("settings")
    settings.MOONDEV_HALT_FILE = request.getfixturevalue("tmp_path") / "nothing-is-halted"
    with contextlib.suppress(redis.RedisError), redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2) as client:
        client.delete("gate:halts")


@functools.lru_cache(maxsize=1)
def _emptying() -> str:
    """Return the statements that empty every table but the kept ones, whatever refers to what."""
    ours = set(connection.introspection.django_table_names(only_existing=True)) | SERIES_TABLES
    tables = sorted(ours - KEPT_TABLES)
    deletes = "; ".join(f'DELETE FROM "{table}"' for table in tables)
    return f"SET session_replication_role = replica; {deletes}; SET session_replication_role = origin"


def _empty_tables(_: TransactionTestCase) -> None:
    """Empty the tables after a test that commits.

    Django truncates every table and writes all permissions anew, about a second each time; deleting the few rows that
    a test leaves takes milliseconds.
    """
    with connection.cursor() as cursor:
        cursor.execute(_emptying())


@pytest.fixture(scope="session", autouse=True)
def _quick_teardown() -> Iterator[None]:
    """Use the quick way for every test of the run."""
    original = TransactionTestCase._fixture_teardown
    TransactionTestCase._fixture_teardown = _empty_tables
    yield
    TransactionTestCase._fixture_teardown = original
