import pytest
from celery import shared_task
from kombu.exceptions import OperationalError

import celeryconfig
from moondev import celery as moondev_celery
from moondev.celery import TradingTask, app, send, wake
from moondev.counting.table import TASK_SECONDS, TASKS


@pytest.fixture
def published(monkeypatch):
    sent = []
    monkeypatch.setattr(app, "send_task", lambda name, **options: sent.append((name, options)))
    return sent


def test_every_queue_of_the_table_exists_and_every_queue_has_a_reader():
    queues = {queue.name for queue in celeryconfig.task_queues}
    for rule in celeryconfig.TASKS.values():
        assert rule.queue.format(venue="hyperliquid") in queues
    read = {name.format(venue="hyperliquid") for worker in celeryconfig.WORKERS.values() for name in worker.queues}
    assert read == queues


def test_the_veto_queue_shares_a_worker_with_nothing():
    readers = [worker for worker in celeryconfig.WORKERS.values() if any("vetoes" in name for name in worker.queues)]
    assert [worker.queues for worker in readers] == [("vetoes.{venue}",)]


def test_no_worker_uses_the_solo_pool():
    assert {worker.pool for worker in celeryconfig.WORKERS.values()} <= {"prefork", "threads"}


@pytest.mark.parametrize(
    ("task", "arguments", "queue"),
    [
        ("strategies.tick", {}, "ticks"),
        ("exchanges.orders_send", {"venue": "hyperliquid"}, "orders.hyperliquid"),
        ("exchanges.orders_veto", {"venue": "hyperliquid"}, "vetoes.hyperliquid"),
        ("exchanges.orders_reconcile", {"venue": "hyperliquid"}, "portfolio"),
        ("risk.exposures_recompute", {}, "portfolio"),
        ("monitor.anything", {}, "default"),
    ],
)
def test_tasks_go_where_the_table_says(task, arguments, queue):
    assert celeryconfig.route_task(task, (), arguments, {}) == {"queue": queue}


@pytest.mark.parametrize("arguments", [{}, None, {"venue": "kraken"}])
def test_a_venue_task_without_a_known_venue_is_refused(arguments):
    with pytest.raises(ValueError, match=r"exchanges.orders_send: venue=.*allowed are \['hyperliquid'\]"):
        celeryconfig.route_task("exchanges.orders_send", (), arguments, {})


def test_an_unknown_task_is_refused_before_anything_is_sent(published):
    with pytest.raises(ValueError, match=r"task 'elsewhere.run' has no row"):
        send("elsewhere.run")
    assert published == []


@pytest.mark.parametrize(
    ("row", "venue", "floors"),
    [
        ("orders", "hyperliquid", {"exchanges"}),
        ("vetoes", "hyperliquid", {"exchanges"}),
        ("ticks", "", {"strategies"}),
        ("research", "", {"strategies"}),
        ("notices", "", {"monitor"}),
        ("portfolio", "", {"exchanges", "risk", "strategies"}),
    ],
)
def test_a_worker_loads_the_tasks_of_the_floors_whose_messages_it_reads(row, venue, floors):
    queues = {celeryconfig.queue_name(queue, venue) for queue in celeryconfig.WORKERS[row].queues}
    assert celeryconfig.floors_of(queues) == floors


def test_who_reads_every_queue_loads_every_task():
    assert celeryconfig.floors_of(app.amqp.queues) >= {"exchanges", "risk", "strategies", "monitor"}


def test_a_misspelt_queue_is_an_error():
    assert app.conf.task_create_missing_queues is False


def test_send_gives_the_message_its_expiry_and_priority(published):
    send("strategies.tick", urgency=7, tick_id="x")
    ((name, options),) = published
    assert name == "strategies.tick"
    assert options["kwargs"] == {"tick_id": "x"}
    assert options["expires"] == celeryconfig.TASKS["strategies.tick"].expires_s
    assert options["priority"] == moondev_celery.broker_priority(7, app.conf.broker_url)


@pytest.mark.django_db
def test_a_wake_up_waits_for_the_commit(published, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        wake("exchanges.orders_send", venue="hyperliquid", account_id=7)
        assert published == []
    assert [name for name, _ in published] == ["exchanges.orders_send"]


@pytest.mark.django_db
def test_a_wake_up_for_a_venue_without_queues_is_refused_before_the_commit(published):
    with pytest.raises(ValueError, match="venue='kraken'"):
        wake("exchanges.orders_send", venue="kraken", account_id=7)
    assert published == []


@pytest.mark.django_db
def test_a_wake_up_survives_a_broker_that_is_down(monkeypatch, caplog, django_capture_on_commit_callbacks):
    def down(*_args, **_options):
        raise OperationalError("nobody listens")

    monkeypatch.setattr(app, "send_task", down)
    with django_capture_on_commit_callbacks(execute=True):
        wake("exchanges.orders_send", venue="hyperliquid", account_id=7)
    assert "lost, the sweeper makes it good: nobody listens" in caplog.text


@pytest.mark.django_db
def test_a_send_on_commit_tells_when_the_broker_is_down(monkeypatch):
    def down(*_args, **_options):
        raise OperationalError("nobody listens")

    monkeypatch.setattr(app, "send_task", down)
    with pytest.raises(OperationalError):
        send("monitor.alerts_deliver")


def count(name, event):
    return TASKS.value(name, event)


def test_tasks_are_counted_and_their_log_context_is_cleared():
    from moondev.logs.context import current

    seen = []

    @shared_task(name="monitor.counted_in_test")
    def counted(fail):
        seen.append(dict(current()))
        if fail:
            raise RuntimeError("no")

    assert isinstance(app.tasks["monitor.counted_in_test"], TradingTask)
    # What a person asked for by request r-1 is followed into the worker; what nobody of ours sends is not.
    counted.apply(kwargs={"fail": False}, headers={"about": {"request": "r-1", "tick": "planted"}})
    counted.apply(kwargs={"fail": True})
    name = "monitor.counted_in_test"
    assert [count(name, event) for event in ("started", "done", "failed")] == [2, 1, 1]
    assert TASK_SECONDS.count(name) == 2
    assert seen[0]["task"] == name
    assert seen[0]["task_id"]
    assert seen[0]["request"] == "r-1"
    assert "tick" not in seen[0]
    assert "request" not in seen[1]
    assert dict(current()) == {}


def test_tasks_are_acknowledged_late_and_keep_no_result():
    assert TradingTask.acks_late
    assert TradingTask.reject_on_worker_lost
    assert TradingTask.ignore_result


def test_no_thread_of_a_pool_talks_on_the_connection_that_its_worker_reads():
    assert app.conf.worker_enable_prefetch_count_reduction is False
