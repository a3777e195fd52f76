"""A tick worker dies in the middle of `record`, or hears the same message twice: one effect, or none."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from apps.exchanges.models import ExposureCounter
from apps.strategies.models import StrategyRow
from apps.strategies.orchestrator.dispatch import TICK_TASK
from moondev.celery import send
from moondev.domain.orders import OrderStatus
from tests.chaos.platform import READY_SECONDS, TICKS
from tests.chaos.stops import stopped_at
from tests.chaos.ticking import Ticking

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300)]


def test_a_tick_worker_killed_while_it_records_leaves_nothing_and_the_next_tick_plans_the_same(trader):
    platform, strategy = trader.platform, Ticking(trader, deadline_ms=8_000)
    strategy.wants(0.05)
    before = platform.supervisor.restarts[TICKS]
    with stopped_at(platform.database_url, "record", trader.account.pk) as stop:
        killed = strategy.tick()
        stop.reached()
        platform.kill(TICKS)
        platform.wait("another worker", lambda: platform.restarted(TICKS, before))
        stop.end_sessions()
    assert not trader.orders().exists()
    assert not ExposureCounter.objects.filter(scope_key=trader.account.code, used__gt=0).exists()
    platform.wait("the tick to lapse", lambda: trader.clock.now() > killed.deadline)
    platform.wait("the worker to listen", platform.listens, READY_SECONDS)
    again = strategy.tick()
    assert strategy.ended() == again
    killed.refresh_from_db()
    assert (killed.status, killed.placed, again.pk != killed.pk) == ("expired", 0, True)
    trader.settle()
    order = trader.orders().get()
    assert (order.tick_id, order.status) == (str(again.pk), OrderStatus.FILLED)
    trader.finish()


def test_a_tick_message_delivered_many_times_at_once_has_one_effect(trader):
    strategy = Ticking(trader)
    strategy.wants(0.05)
    for _ in range(3):
        tick = strategy.tick()
        with ThreadPoolExecutor(4) as pool:
            for sending in [pool.submit(send, TICK_TASK, tick_ids=[tick.pk, tick.pk]) for _ in range(4)]:
                sending.result()
        strategy.ended()
    trader.settle()
    assert trader.orders().get().status == OrderStatus.FILLED
    assert StrategyRow.objects.get(pk=strategy.pk).state == {"ticks": 3}
    trader.finish()
