"""A platform that trades, on a database, a cache and queues of its own at the servers the tests were given."""

import os
from contextlib import ExitStack

import pytest
import redis

from tests.acceptance.library import Misbehaving
from tests.acceptance.neighbours import Neighbours
from tests.chaos.platform import ORDERS, TICKS, USER_STREAM, Addresses, at_path, running_platform
from tests.chaos.pointing import pointed_at
from tests.chaos.ticking import Ticking
from tests.chaos.trader import traders

# As many as the tests of this folder take, all together.
ACCOUNTS = 68
# Databases of Redis that no demo, benchmark or other test uses; one is the broker.
CACHE, BROKER = "13", "14"


def own_addresses() -> Addresses:
    """Return addresses at the servers of the environment."""
    server, cache = (os.environ.get(name, "") for name in ("DATABASE_URL", "REDIS_URL"))
    if not server or not cache:
        pytest.skip("DATABASE_URL and REDIS_URL name no servers")
    return Addresses(server, at_path(server, "acceptance"), at_path(cache, CACHE), at_path(cache, BROKER))


def forget(addresses: Addresses) -> None:
    """Empty the cache and the queues: what an earlier run left is not this one's, and nothing is left behind."""
    for url in (addresses.cache, addresses.broker):
        with redis.Redis.from_url(url, socket_timeout=5) as client:
            client.flushdb()


@pytest.fixture(scope="package")
def running(tmp_path_factory, django_db_blocker):
    """Start the platform once for all tests of this folder."""
    folder, names = tmp_path_factory.mktemp("platform"), (ORDERS, USER_STREAM, TICKS)
    addresses = own_addresses()
    forget(addresses)
    with ExitStack() as stack:
        with django_db_blocker.unblock():
            platform = running_platform(
                addresses, folder, accounts=ACCOUNTS, names=names, library=Misbehaving.__module__
            )
            made = stack.enter_context(platform)
        yield made
    forget(addresses)


@pytest.fixture
def platform(running, django_db_blocker):
    with django_db_blocker.unblock(), pointed_at(running.environment):
        yield running


@pytest.fixture
def new_trader(platform):
    with traders(platform) as make:
        yield make


@pytest.fixture
def trader(new_trader):
    return new_trader()


@pytest.fixture
def neighbours(new_trader):
    """Return a maker of two strategies that are ticked together, each on an account of its own."""

    def make(behaviour, symbol="BTC", **wrong):
        bad = Ticking(new_trader(), behaviour, kind=Misbehaving, symbol=symbol, **wrong)
        good = Ticking(new_trader(), kind=Misbehaving)
        good.wants(0.05)
        return Neighbours(bad, good)

    return make
