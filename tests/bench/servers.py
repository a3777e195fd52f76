"""The servers a benchmark runs on: real ones, with a database and a cache of its own, and queues nobody else reads."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg2
import redis
from psycopg2 import sql

PROJECT = Path(__file__).resolve().parents[2]
DATABASE = "moondev_bench"
TEMPLATE = "moondev_bench_template"
# A database of Redis that neither a demo nor a test uses.
REDIS_NUMBER = 12
_VARIABLES = ("DATABASE_URL", "BROKER_URL", "REDIS_URL")


class BenchError(Exception):
    """The benchmark cannot go on; the message says why."""


@dataclass(frozen=True, slots=True)
class Servers:
    """Addresses. `admin_url` is the database from which ours is made."""

    admin_url: str
    database_url: str
    broker_url: str
    redis_url: str

    @classmethod
    def from_environment(cls) -> Servers:
        """Return the servers that DATABASE_URL, BROKER_URL and REDIS_URL name; RabbitMQ is required."""
        missing = [name for name in _VARIABLES if not os.environ.get(name)]
        if missing:
            raise BenchError(f"{', '.join(missing)} not set: run it as make bench, or as docker/services run -- ...")
        database, broker, cache = (os.environ[name] for name in _VARIABLES)
        if not broker.startswith("amqp"):
            raise BenchError("BROKER_URL is not RabbitMQ: what is measured here is promised for RabbitMQ only")
        return cls(database, _path(database, DATABASE), broker, _path(cache, str(REDIS_NUMBER)))

    @property
    def ports(self) -> dict[str, int]:
        """Return the port of each server, to find its process by."""
        urls = {"rabbitmq": self.broker_url, "postgres": self.database_url, "redis": self.redis_url}
        return {name: port for name, url in urls.items() if (port := urlsplit(url).port)}


@contextmanager
def own_databases(servers: Servers) -> Iterator[None]:
    """Make the migrated template while the block runs, and leave no database of ours behind."""
    with _admin(servers) as cursor:
        _drop(cursor, DATABASE)
        _drop(cursor, TEMPLATE)
        cursor.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(TEMPLATE)))
    try:
        environment = {**os.environ, "DATABASE_URL": _path(servers.admin_url, TEMPLATE)}
        command = [sys.executable, "manage.py", "migrate", "--verbosity=0"]
        subprocess.run(command, check=True, cwd=PROJECT, env=environment)
        yield
    finally:
        with _admin(servers) as cursor:
            _drop(cursor, DATABASE)
            _drop(cursor, TEMPLATE)
        with redis.Redis.from_url(servers.redis_url, socket_timeout=5.0) as client:
            client.flushdb()


def start_afresh(servers: Servers) -> None:
    """Give the next benchmark an empty database and an empty cache."""
    with _admin(servers) as cursor:
        _drop(cursor, DATABASE)
        cursor.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(DATABASE), sql.Identifier(TEMPLATE))
        )
    with redis.Redis.from_url(servers.redis_url, socket_timeout=5.0) as client:
        client.flushdb()


def _drop(cursor: psycopg2.extensions.cursor, name: str) -> None:
    cursor.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def _admin(servers: Servers) -> Iterator[psycopg2.extensions.cursor]:
    with contextlib.closing(psycopg2.connect(servers.admin_url)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            yield cursor


def _path(url: str, path: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{path}"))
