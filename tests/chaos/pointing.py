"""Let this process speak to the platform under test: its database, its cache, its broker, its keys."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from unittest.mock import patch

import environ
from django.conf import settings
from django.db import connection
from django.test.utils import override_settings
from kombu import pools

from apps.exchanges.execution.nudges import redis_nudges
from apps.exchanges.market_data.cache import market_cache
from moondev.celery import app


@contextmanager
def pointed_at(environment: Mapping[str, str]) -> Iterator[None]:
    """Use the servers that `environment` names while the block runs."""
    cache, halt_file = environment["REDIS_URL"], settings.BASE_DIR / environment["MOONDEV_HALT_FILE"]
    with (
        patch.dict(os.environ, environment),
        override_settings(REDIS_URL=cache, MOCK_URL=environment["MOCK_URL"], MOONDEV_HALT_FILE=halt_file),
        _database(environment["DATABASE_URL"]),
        _broker(environment["BROKER_URL"]),
    ):
        _forget_clients()
        try:
            yield
        finally:
            _forget_clients()


@contextmanager
def _database(url: str) -> Iterator[None]:
    wanted = environ.Env.db_url_config(url)
    mine = connection.settings_dict
    before = {name: mine[name] for name in ("NAME", "USER", "PASSWORD", "HOST", "PORT")}
    connection.close()
    mine.update({name: wanted[name] for name in before})
    try:
        yield
    finally:
        connection.close()
        mine.update(before)


@contextmanager
def _broker(url: str) -> Iterator[None]:
    before = app.conf["broker_url"]
    _close_pools()
    app.conf["broker_url"] = url
    try:
        yield
    finally:
        _close_pools()
        app.conf["broker_url"] = before


def _close_pools() -> None:
    """Close connections to another broker, and forget the pools: a closed one would be handed out again."""
    pools.reset()
    app.amqp._producer_pool = None
    app._pool = None


def _forget_clients() -> None:
    for remembered in (redis_nudges, market_cache):
        if remembered.cache_info().currsize:
            remembered.cache_clear()
