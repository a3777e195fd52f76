"""The servers a demo runs on: embedded ones, or real ones with a database of the demo's own."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg2
import redis
from psycopg2 import sql

from moondev.embedded import embedded_servers
from moondev.servers import services
from moondev.servers.errors import ServiceError
from moondev.servers.state import write_private

DEMO_DATABASE = "moondev_demo"
DEMO_REDIS_NUMBER = 9
# A key that says that the demo may empty this Redis database.
DEMO_MARK = "moondev:demo"


@contextmanager
def demo_servers(kind: str, run_folder: Path, services_folder: Path) -> Iterator[dict[str, str]]:
    """Yield the addresses of ``embedded`` or ``real`` servers while the block runs.

    Raises:
        ServiceError: a server could not be started.
    """
    with embedded_servers(run_folder / "servers") if kind == "embedded" else _real(services_folder) as urls:
        yield urls


@contextmanager
def environment_file(path: Path, values: Mapping[str, str]) -> Iterator[None]:
    """Keep ``values`` in a file while the block runs, so that commands in a second terminal join the run."""
    write_private(path, "".join(f"{name}={value}\n" for name, value in values.items()))
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


@contextmanager
def _real(folder: Path) -> Iterator[dict[str, str]]:
    """Use the servers of ``docker/services``; end them afterwards when they were not running before."""
    were_running = bool(services.status(folder))
    try:
        urls = services.start_all(folder, os.environ)
        yield {
            **urls,
            "DATABASE_URL": _fresh_database(urls["DATABASE_URL"]),
            "REDIS_URL": _fresh_cache(urls["REDIS_URL"]),
            # Queues of the demo's own: a platform that runs on the same broker keeps its messages.
            "MOONDEV_QUEUE_PREFIX": "demo.",
        }
    finally:
        if not were_running:
            services.stop_all(folder)


def _fresh_database(url: str) -> str:
    """Make an empty database beside the one the URL names: the mock starts with no memory, so must the ledger."""
    with contextlib.closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            name = sql.Identifier(DEMO_DATABASE)
            cursor.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
            cursor.execute(sql.SQL("CREATE DATABASE {}").format(name))
    return urlunsplit(urlsplit(url)._replace(path=f"/{DEMO_DATABASE}"))


def _fresh_cache(url: str) -> str:
    """Take a Redis database of the demo's own and empty it: an earlier market's data is not this one's.

    Raises:
        ServiceError: that database holds something a demo did not put there.
    """
    own = urlunsplit(urlsplit(url)._replace(path=f"/{DEMO_REDIS_NUMBER}"))
    with redis.Redis.from_url(own, socket_timeout=5.0) as client:
        if client.dbsize() and not client.exists(DEMO_MARK):
            raise ServiceError(
                f"Redis database {DEMO_REDIS_NUMBER} is not empty and not the demo's; allowed: an empty one"
            )
        client.flushdb()
        client.set(DEMO_MARK, "1")
    return own
