"""One table: every queue, task, worker and limit of the platform.

A message is a wake-up ("account 7 has work"); the work itself is a row in the database. Losing a message therefore
costs half a second until the sweeper, never an order: messages are transient, unconfirmed and short-lived. Vetoes are
the exception: they are rare and somebody waits for them, so they are written to disk and never expire.
"""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from django.conf import settings
from kombu import Exchange, Queue

from moondev.priorities import MAX_URGENCY, broker_priority, is_redis

TRANSIENT = 1
PERSISTENT = 2


@dataclass(frozen=True, slots=True)
class TaskRule:
    """Where a task goes and for how long its message is worth anything.

    ``queue`` may contain ``{venue}``, filled from the task's argument of that name.
    ``expires_s`` None is "never".
    """

    queue: str
    expires_s: float | None = None


@dataclass(frozen=True, slots=True)
class WorkerRule:
    """A worker process: what it consumes, and how.

    ``prefetch`` counts messages reserved per pool slot. Never the solo pool: with a low prefetch kombu's event loop
    can sit on an acknowledgement for a second.
    """

    queues: tuple[str, ...]
    pool: Literal["prefork", "threads"]
    concurrency: int
    prefetch: int = 1


# The most specific name wins; "monitor." stands for every task of that floor.
TASKS: Mapping[str, TaskRule] = {
    "strategies.tick": TaskRule("ticks", expires_s=5),
    "strategies.promotion_watch": TaskRule("portfolio", expires_s=60),
    "strategies.dispatch_cadence": TaskRule("default", expires_s=5),
    "strategies.backtest": TaskRule("research"),
    "strategies.backtests_resume": TaskRule("default", expires_s=60),
    "strategies.optimise": TaskRule("research"),
    "strategies.optimisations_resume": TaskRule("default", expires_s=60),
    "exchanges.orders_send": TaskRule("orders.{venue}", expires_s=10),
    "exchanges.orders_veto": TaskRule("vetoes.{venue}"),
    "exchanges.orders_reconcile": TaskRule("portfolio", expires_s=60),
    "exchanges.equity_mark": TaskRule("portfolio", expires_s=60),
    "exchanges.history_keep": TaskRule("default", expires_s=600),
    "risk.exposures_recompute": TaskRule("portfolio", expires_s=60),
    "risk.sizing_trades": TaskRule("portfolio", expires_s=300),
    "risk.correlations_measure": TaskRule("portfolio", expires_s=60),
    "monitor.alerts_deliver": TaskRule("alerts", expires_s=60),
    "monitor.reports_write": TaskRule("default", expires_s=600),
    "monitor.": TaskRule("default"),
    "celery.": TaskRule("default"),
}

WORKERS: Mapping[str, WorkerRule] = {
    "ticks": WorkerRule(("ticks",), pool="prefork", concurrency=2),
    "orders": WorkerRule(("orders.{venue}",), pool="threads", concurrency=4),
    "vetoes": WorkerRule(("vetoes.{venue}",), pool="threads", concurrency=1),
    # Threads, because its tasks wait for venues: one that hangs must not keep the others from being reconciled.
    "portfolio": WorkerRule(("portfolio",), pool="threads", concurrency=6),
    # Makes strategies due, so nothing long may stand before it in the queue.
    "general": WorkerRule(("default",), pool="prefork", concurrency=1),
    # Threads, because its tasks wait for servers of others, two of which may hang at once; alone, because nobody is
    # told of anything else that hangs unless this one works.
    "notices": WorkerRule(("alerts",), pool="threads", concurrency=4),
    # Computes for minutes at a time: any number of machines may run one of these.
    "research": WorkerRule(("research",), pool="prefork", concurrency=1),
}


def queue_name(name: str, venue: str = "") -> str:
    """Return what a queue of the table is called at the broker: with this platform's prefix and a venue filled in."""
    return f"{settings.MOONDEV_QUEUE_PREFIX}{name.format(venue=venue)}"


def floors_of(queues: Container[str]) -> set[str]:
    """Return the floors, such as `exchanges`, whose tasks can come through some queues (as the broker names them)."""
    return {
        task.partition(".")[0]
        for task, rule in TASKS.items()
        if any(queue_name(rule.queue, venue) in queues for venue in (*settings.MOONDEV_VENUES, ""))
    }


def _queue(name: str, *, delivery: int = TRANSIENT, arguments: dict[str, Any] | None = None) -> Queue:
    """Describe a classic durable queue: RabbitMQ 3.10 refuses priorities on quorum queues."""
    own = queue_name(name)
    exchange = Exchange(own, type="direct", durable=True, delivery_mode=delivery)
    return Queue(own, exchange, routing_key=own, durable=True, queue_arguments=arguments)


def route_task(
    name: str,
    args: Sequence[Any],  # noqa: ARG001  the signature is Celery's
    kwargs: Mapping[str, Any] | None,
    options: Mapping[str, Any],  # noqa: ARG001  Celery's as well
    task: object = None,  # noqa: ARG001  Celery's as well
    **_: Any,  # noqa: ANN401  any value
) -> dict[str, str]:
    """Return the queue of a task by name; venue queues by its ``venue`` argument.

    Raises:
        ValueError: the task is not in the table, or lacks the venue its queue needs.
    """
    rule = task_rule(name)
    venue = str((kwargs or {}).get("venue", ""))
    if "{venue}" in rule.queue and venue not in settings.MOONDEV_VENUES:
        raise ValueError(f"{name}: venue={venue!r}; allowed are {settings.MOONDEV_VENUES} (keyword argument)")
    return {"queue": queue_name(rule.queue, venue)}


def task_rule(name: str) -> TaskRule:
    """Return the row of the table for a task name.

    Raises:
        ValueError: no row fits; a task without a queue of its own choosing must not land anywhere by accident.
    """
    rule = TASKS.get(name) or TASKS.get(name.partition(".")[0] + ".")
    if rule is None:
        raise ValueError(f"task {name!r} has no row in celeryconfig.TASKS; known are {sorted(TASKS)}")
    return rule


# --- Broker --------------------------------------------------------------------------------------------------------
broker_url = settings.BROKER_URL
broker_connection_retry_on_startup = True
# Workers wait for a broker that is away for as long as it takes.
broker_connection_max_retries = None
# A publish must never hang a tick: one immediate retry, about a second in all, then it raises.
broker_connection_timeout = 1.0
task_publish_retry = True
task_publish_retry_policy = {"max_retries": 1, "interval_start": 0, "interval_step": 0.1, "interval_max": 0.1}
broker_transport_options: dict[str, Any] = {
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0.1,
    "interval_max": 0.1,
    "connect_retries_timeout": 1.0,
}
if is_redis(broker_url):
    broker_transport_options |= {
        # Longer than the longest task (research runs in chunks under five minutes), so none is delivered twice early.
        "visibility_timeout": 900,
        "priority_steps": list(range(MAX_URGENCY + 1)),
        "queue_order_strategy": "priority",
        "socket_connect_timeout": 1.0,
        # Longer than the one second a blocking read lasts.
        "socket_timeout": 2.0,
        "socket_keepalive": True,
    }

# --- Messages ------------------------------------------------------------------------------------------------------
task_serializer = "json"
result_serializer = "json"
accept_content = ["json"]
task_ignore_result = True
task_store_errors_even_if_ignored = False
result_backend = None
enable_utc = True
timezone = "UTC"
task_default_delivery_mode = "transient"
task_default_priority = broker_priority(0, broker_url)

# --- Queues --------------------------------------------------------------------------------------------------------
task_queues = [
    _queue("ticks", arguments={"x-max-priority": MAX_URGENCY + 1}),
    _queue("portfolio"),
    _queue("research", delivery=PERSISTENT),
    _queue("alerts", delivery=PERSISTENT),
    _queue("default"),
    *(_queue(f"orders.{venue}") for venue in settings.MOONDEV_VENUES),
    *(_queue(f"vetoes.{venue}", delivery=PERSISTENT) for venue in settings.MOONDEV_VENUES),
]
task_default_queue = queue_name("default")
# A misspelt queue is an error where it is sent, not a queue that nobody reads.
task_create_missing_queues = False
task_routes = (route_task,)

# --- Workers -------------------------------------------------------------------------------------------------------
worker_prefetch_multiplier = 1
task_reject_on_worker_lost = True
worker_hijack_root_logger = False
worker_send_task_events = True
worker_cancel_long_running_tasks_on_connection_loss = False
# After a reconnection Celery would restore a reduced prefetch from whichever thread finishes a task: a synchronous call
# on the connection that the main thread reads. Both then wait for bytes the other has taken, for a minute and a half.
worker_enable_prefetch_count_reduction = False
# Per-process memory ceiling, in KiB: the child is replaced after the task that crossed it.
worker_max_memory_per_child = 400_000

# --- Beat ----------------------------------------------------------------------------------------------------------
# The schedule is the admin's; this one says as well that it works.
beat_scheduler = "moondev.heartbeat.scheduler:BeatingScheduler"
# How soon an edit of a schedule in the admin is noticed, in seconds.
beat_max_loop_interval = 5
