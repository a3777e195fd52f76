"""The floor under every latency: empty tasks, three small commits, one signed request; the platform's own settings.

A Celery application of its own, so that the platform's task table stays as it is: the same broker, serializer,
acknowledgement, delivery, pools and prefetch, and two queues that nobody else reads.
"""

from __future__ import annotations

import sys
from itertools import count
from threading import local
from typing import TYPE_CHECKING

from celery import Celery
from kombu import Exchange, Queue

import celeryconfig
from apps.exchanges.market_data.cache import redis_client
from apps.monitor.demo.supervisor import ProcessSpec
from moondev.celery import TradingTask
from moondev.domain.clock import process_clock
from tests.bench.plan import floor_accounts

if TYPE_CHECKING:
    from tests.bench.floor_desk import Desk

FIRST, SECOND = "bench.first", "bench.second"
RESULTS_KEY = "bench:floor"


def _queue(name: str) -> Queue:
    return Queue(name, Exchange(name, type="direct", delivery_mode=1), routing_key=name, durable=True)


def _route(name: str, *_: object, **__: object) -> dict[str, str]:
    return {"queue": SECOND if name == "bench.second" else FIRST}


app = Celery("bench", task_cls=TradingTask, set_as_current=False)
app.config_from_object(celeryconfig)
app.conf.update(task_queues=[_queue(FIRST), _queue(SECOND)], task_routes=(_route,), task_default_queue=FIRST)
app.conf["CELERY_DB_REUSE_MAX"] = sys.maxsize


_mine = local()
_numbers = count()


def _desk() -> Desk:
    """Return this thread's desk. Models are there only once the worker has woken Django."""
    from tests.bench.floor_desk import Desk

    if not hasattr(_mine, "desk"):
        codes = floor_accounts()
        _mine.desk = Desk(codes[next(_numbers) % len(codes)])
        _mine.redis = redis_client()
    desk: Desk = _mine.desk
    return desk


@app.task(name="bench.hop")
def hop(sent_at: float) -> None:
    """Do nothing but tell how long the message took."""
    taken = process_clock().now().timestamp() - sent_at
    _desk()
    _mine.redis.rpush(RESULTS_KEY, taken * 1000)


@app.task(name="bench.first")
def first(sent_at: float) -> None:
    """Hand on, as a tick worker does; otherwise empty."""
    second.apply_async((sent_at,), expires=10)


@app.task(name="bench.second")
def second(sent_at: float) -> None:
    """Commit a row, a second one, send one signed order that cannot trade, commit a third: the least a sender does."""
    desk = _desk()
    desk.commit("claimed")
    desk.commit("sending")
    desk.request()
    desk.commit("applied")
    _mine.redis.rpush(RESULTS_KEY, (process_clock().now().timestamp() - sent_at) * 1000)


def floor_workers() -> list[ProcessSpec]:
    """Return the two workers, with the pools and prefetch that the platform's table has for ticks and for orders."""
    return [_worker("floor-first", FIRST, "ticks"), _worker("floor-second", SECOND, "orders")]


def _worker(name: str, queue: str, row: str) -> ProcessSpec:
    rule = celeryconfig.WORKERS[row]
    return ProcessSpec(
        name,
        [
            sys.executable, "-m", "celery", "-A", "tests.bench.floor_app:app", "worker", f"--hostname={name}@%h",
            f"--queues={queue}", f"--pool={rule.pool}", f"--concurrency={rule.concurrency}",
            f"--prefetch-multiplier={rule.prefetch}", "--loglevel=INFO", "--without-gossip", "--without-mingle",
        ],
    )  # fmt: skip
