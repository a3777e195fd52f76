"""What every test stands on: sockets shut in unit tests, the log context empty at the start of each."""

import contextlib
from pathlib import Path

import pytest
import redis
from pytest_socket import disable_socket, enable_socket, socket_allow_hosts

UNIT = Path(__file__).parent / "unit"


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
    settings = request.getfixturevalue("settings")
    settings.MOONDEV_HALT_FILE = request.getfixturevalue("tmp_path") / "nothing-is-halted"
    with contextlib.suppress(redis.RedisError), redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2) as client:
        client.delete("gate:halts")
