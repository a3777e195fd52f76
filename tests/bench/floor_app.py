"""The floor under every latency: empty tasks, three small commits, one signed request; the platform's own settings.

A Celery application of its own, so that the platform's task table stays as it is: the same broker, serializer,
acknowledgement, delivery, pools and prefetch, and two queues that nobody else reads.
"""

from __future__ import annotations

import sys
from datetime import timedelta
from decimal import Decimal
from itertools import count
from threading import local
from uuid import uuid4

from celery import Celery
from kombu import Exchange, Queue

import celeryconfig
from apps.exchanges.market_data.cache import redis_client
from apps.exchanges.models import Account, AccountEvent, InstrumentRow, Signer
from apps.exchanges.ports import Credentials, ExecutionClient
from apps.exchanges.registry import client_for
from apps.monitor.demo.paper import PaperAccount
from apps.monitor.demo.supervisor import ProcessSpec
from moondev.celery import TradingTask
from moondev.domain.clock import milliseconds, process_clock
from moondev.domain.decisions import RiskApproved
from moondev.domain.instruments import Rounding
from moondev.domain.orders import OrderType, PlaceOrder, Purpose, TimeInForce
from moondev.domain.values import Quantity, Side
from tests.bench.plan import floor_accounts

FIRST, SECOND = "bench.first", "bench.second"
RESULTS_KEY = "bench:floor"
_MINUTE = timedelta(minutes=1)
# Far enough from the market never to trade, near enough for the venue to take it.
_FAR = Decimal("0.7")
_DOLLARS = 20


def _queue(name: str) -> Queue:
    return Queue(name, Exchange(name, type="direct", delivery_mode=1), routing_key=name, durable=True)


def _route(name: str, *_: object, **__: object) -> dict[str, str]:
    return {"queue": SECOND if name == "bench.second" else FIRST}


app = Celery("bench", task_cls=TradingTask, set_as_current=False)
app.config_from_object(celeryconfig)
app.conf.update(task_queues=[_queue(FIRST), _queue(SECOND)], task_routes=(_route,), task_default_queue=FIRST)


class _Desk:
    """What one thread signs with: an account of its own, so that no thread waits for another's nonce."""

    def __init__(self, code: str) -> None:
        owner = Account.objects.select_related("venue").order_by("pk").first()
        row = InstrumentRow.objects.get(symbol="BTC")
        assert owner is not None
        paper = PaperAccount(code, Decimal(0))
        credentials = Credentials(paper.address, paper.agent_key(Signer.Purpose.ORDERS))
        self.owner = owner
        self._client: ExecutionClient = client_for(owner.venue.to_config(), credentials)
        self._instrument, self._nonce = row.to_domain(), 0

    def commit(self, step: str) -> None:
        """Insert one small row and commit it."""
        kind = AccountEvent.Kind.ZOMBIE_ORDER
        AccountEvent.objects.create(account=self.owner, at=process_clock().now(), kind=kind, message=step)

    def request(self) -> None:
        """Sign and send one order, and read the answer."""
        now = process_clock().now()
        self._nonce = max(self._nonce + 1, milliseconds(now))
        self._client.place([RiskApproved(self._order())], self._nonce, now + _MINUTE)

    def _order(self) -> PlaceOrder:
        price = self._instrument.price_grid.rounded(Decimal(100_000) * _FAR, Rounding.DOWN)
        lot = self._instrument.lot.value
        return PlaceOrder(
            uuid4(), self._instrument.key, Side.BUY, OrderType.LIMIT, TimeInForce.IOC,
            Quantity((_DOLLARS / price.value) // lot * lot), price, Purpose.OPENING, "floor", "floor",
        )  # fmt: skip


_mine = local()
_numbers = count()


def _desk() -> _Desk:
    if not hasattr(_mine, "desk"):
        codes = floor_accounts()
        _mine.desk = _Desk(codes[next(_numbers) % len(codes)])
        _mine.redis = redis_client()
    return _mine.desk  # type: ignore[no-any-return]


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
