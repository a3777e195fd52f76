import pytest

from tests.support.private_redis import private_redis


@pytest.fixture(scope="session")
def _server(tmp_path_factory):
    with private_redis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def client(_server):
    _server.flushall()
    return _server
