"""The Celery app, the base class of every task, and the way to send one."""

import logging
import os
import sys
from functools import partial
from typing import Any

from celery import Celery, Task, signals
from django.conf import settings
from django.db import close_old_connections, transaction
from kombu.exceptions import OperationalError

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "moondev.settings.dev")
# Before a worker starts Celery would make Django's checks, which load every page of the admin, and forget the answer.
os.environ.setdefault("CELERY_SKIP_CHECKS", "1")

import celeryconfig  # after the line above: it reads the settings
from moondev.counting.table import TASK_NEWEST, TASK_SECONDS, TASK_WAIT_SECONDS, TASKS
from moondev.domain.clock import LiveClock, monotonic
from moondev.logs import log_context
from moondev.logs.context import arrived, travelling
from moondev.logs.setup import configure
from moondev.priorities import broker_priority
from moondev.traces.export import outlet_close
from moondev.traces.spans import request_stage

logger = logging.getLogger(__name__)

# A header of every message: when it was sent, in real seconds since 1970.
SENT_AT = "moondev_sent_at"


class TradingTask(Task[..., Any]):
    """Base class of every task, also without being named: ``@shared_task(name="floor.noun_verb")``.

    Late acknowledgement is the default because every task here is idempotent; a worker that dies hands its message
    to another. Results are not kept. Log lines carry the task's id and name.
    """

    abstract = True
    acks_late = True
    reject_on_worker_lost = True
    ignore_result = True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401  a task takes and returns anything
        """Run the body with the log context bound, and count how it went."""
        TASKS.add(self.name, "started")
        self._count_wait()
        began, brought, task_id = monotonic(), arrived(self.request.headers), str(self.request.id or "direct")
        try:
            with (
                log_context(**brought),
                log_context(task=self.name, task_id=task_id),
                request_stage(brought.get("request", ""), self.name, task_id),
            ):
                return super().__call__(*args, **kwargs)
        finally:
            TASK_SECONDS.observe(monotonic() - began, self.name)

    def _count_wait(self) -> None:
        """Count how long the message has waited; a task that is called directly has none."""
        sent_at = getattr(self.request, SENT_AT, None)
        queue = (self.request.delivery_info or {}).get("routing_key")
        if isinstance(sent_at, float) and queue:
            TASK_WAIT_SECONDS.observe(LiveClock().now().timestamp() - sent_at, queue)
            TASK_NEWEST.put(sent_at, queue)

    def on_success(self, retval: Any, task_id: str, args: Any, kwargs: Any) -> None:  # noqa: ANN401, ARG002  Celery's
        """Count a task that finished."""
        TASKS.add(self.name, "done")

    def on_retry(self, exc: Exception, task_id: str, args: Any, kwargs: Any, einfo: Any) -> None:  # noqa: ANN401, ARG002  Celery's
        """Count a task that will run again."""
        TASKS.add(self.name, "retried")

    def on_failure(self, exc: Exception, task_id: str, args: Any, kwargs: Any, einfo: Any) -> None:  # noqa: ANN401, ARG002  Celery's
        """Count a task that raised; Celery logs the traceback."""
        TASKS.add(self.name, "failed")


app = Celery("moondev", task_cls=TradingTask)
app.config_from_object(celeryconfig)
# Celery's Django fixup would end the database session before and after every task; a new one costs about as much CPU
# as a whole tick. Ours are kept as CONN_MAX_AGE says and are looked at before each task, see below.
app.conf["CELERY_DB_REUSE_MAX"] = sys.maxsize
# By name, so that only workers load it.
app.steps["consumer"].add("moondev.heartbeat.worker:WorkerHeart")


@signals.celeryd_after_setup.connect
def load_tasks(**_: object) -> None:
    """Load what this worker's queues may bring it, before its pool starts.

    One that sends orders needs no indicators: loading everything takes 2 s and 130 MB more. Beat and Flower know tasks
    by their names and load none.
    """
    brought = {f"apps.{floor}" for floor in celeryconfig.floors_of(app.amqp.queues.consume_from)}
    app.autodiscover_tasks([name for name in settings.INSTALLED_APPS if name in brought], force=True)


def send(task: str, *, urgency: int = 0, expires_s: float | None = None, **arguments: Any) -> None:  # noqa: ANN401  any JSON value
    """Publish a task by name now, to the queue and with the expiry of ``celeryconfig.TASKS``.

    Args:
        task: name in the table, such as ``exchanges.orders_send``.
        urgency: 0 (ordinary) to 9 (first), the same on every broker.
        expires_s: real seconds for which this message is worth anything; None is the table's.
        arguments: keyword arguments of the task: ids and JSON values, never objects.

    Raises:
        ValueError: unknown task, venue or urgency.
        kombu.exceptions.OperationalError: the broker did not take it within about a second.
    """
    app.send_task(
        task,
        kwargs=arguments,
        expires=expires_s if expires_s is not None else celeryconfig.task_rule(task).expires_s,
        priority=broker_priority(urgency, app.conf.broker_url),
        headers={"about": travelling()},
        ignore_result=True,
    )


def send_on_commit(task: str, *, urgency: int = 0, **arguments: Any) -> None:  # noqa: ANN401  any JSON value
    """Publish like ``send``, once the open transaction has committed; at once when there is none.

    A broker that is down raises to whoever commits: for work that no row remembers. What ``send`` would refuse
    (ValueError) is refused at once, while the transaction can still be rolled back.
    """
    celeryconfig.route_task(task, (), arguments, {})
    transaction.on_commit(partial(send, task, urgency=urgency, **arguments))


def wake(task: str, *, urgency: int = 0, **arguments: Any) -> None:  # noqa: ANN401  any JSON value
    """Publish a wake-up on commit, and carry on when the broker is down.

    Only for tasks whose work is a row that a sweeper finds anyway: then a lost message costs time, not work. A task
    or venue without a queue (ValueError) is refused at once, while the transaction can still be rolled back.
    """
    celeryconfig.route_task(task, (), arguments, {})
    transaction.on_commit(partial(_publish_wake_up, task, urgency, arguments))


def _publish_wake_up(task: str, urgency: int, arguments: dict[str, Any]) -> None:
    try:
        send(task, urgency=urgency, **arguments)
    except (OperationalError, OSError) as error:
        logger.warning("wake-up %s %s lost, the sweeper makes it good: %s", task, arguments, error)


@signals.before_task_publish.connect
def _note_when_sent(headers: dict[str, Any], **_: Any) -> None:  # noqa: ANN401  Celery's signature
    """Have every message say when it was sent, beat's too."""
    headers[SENT_AT] = LiveClock().now().timestamp()


@signals.setup_logging.connect
def _configure_logging(**_: Any) -> None:  # noqa: ANN401  Celery's signature
    """Keep Celery from replacing our handlers."""
    configure(settings.LOGGING)


@signals.task_prerun.connect
def _leave_broken_sessions_behind(**_: Any) -> None:  # noqa: ANN401  Celery's signature
    """Have a task begin with a database session that works: one that is too old or broken is replaced."""
    close_old_connections()


@signals.worker_process_init.connect
def _prepare_worker_process(**_: Any) -> None:  # noqa: ANN401  Celery's signature
    """Give a forked pool process logging of its own.

    Celery's Django fixup has already closed the file descriptors of inherited database connections; closing the
    connections politely would end the parent's sessions on the server.
    """
    configure(settings.LOGGING)


@signals.worker_process_shutdown.connect
def _leave_worker_process(**_: Any) -> None:  # noqa: ANN401  Celery's signature
    """Send the traces that a pool process still has."""
    outlet_close()
