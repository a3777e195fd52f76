"""One platform for all faults; each test has an account that nobody has traded on."""

from contextlib import ExitStack

import pytest

from moondev.servers.errors import ServiceError
from tests.chaos.platform import Addresses, running_platform
from tests.chaos.pointing import pointed_at
from tests.chaos.servers import PrivateServers
from tests.chaos.trader import traders

# As many as the tests of this folder take, all together.
ACCOUNTS = 64


@pytest.fixture(scope="package")
def servers(tmp_path_factory):
    """Start servers that nobody else uses: these tests stop them."""
    try:
        started = PrivateServers(tmp_path_factory.mktemp("servers"))
    except ServiceError as error:
        pytest.skip(f"the tests stop their servers and so need their own: {error}")
    yield started
    started.close()


@pytest.fixture(scope="package")
def running(servers, tmp_path_factory, django_db_blocker):
    """Start the platform once for all tests of this folder."""
    folder = tmp_path_factory.mktemp("platform")
    with ExitStack() as stack:
        with django_db_blocker.unblock():
            made = stack.enter_context(running_platform(Addresses.of(servers), folder, accounts=ACCOUNTS))
        yield made


@pytest.fixture
def platform(running, django_db_blocker):
    """Let one test speak to the platform; other tests of this process have a database of their own."""
    with django_db_blocker.unblock(), pointed_at(running.environment):
        yield running


@pytest.fixture
def new_trader(platform):
    """Return a maker of traders."""
    with traders(platform) as make:
        yield make


@pytest.fixture
def trader(new_trader):
    return new_trader()
