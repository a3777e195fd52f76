"""Every process of the platform, as a command line."""

import sys
from collections.abc import Sequence
from pathlib import Path

from django.conf import settings

import celeryconfig
from apps.monitor.demo.ports import Ports
from apps.monitor.demo.supervisor import ProcessSpec
from apps.monitor.demo.venues import HOME

# Celery finishes the tasks it has begun before it ends.
_WORKER_STOP_S = 20.0
FLOWER_CONFIG = "apps/monitor/flower/config.py"
# Stopped first when trading ends: what makes strategies due.
TICK_SOURCES = ("dispatcher", "beat")


def mock_process(ports: Ports, feed: Path | None, venues: Sequence[str]) -> ProcessSpec:
    """Return the mock exchange of `venues`, on a recorded feed or (None) on its seeded synthetic market."""
    recorded = ["--feed", str(feed)] if feed else []
    spoken = [] if list(venues) == [HOME] else ["--venues", ",".join(venues)]
    return _python("mock", "-m", "apps.exchanges.mock", "--port", str(ports.mock), *spoken, *recorded)


def platform_processes(venues: Sequence[str], ports: Ports) -> list[ProcessSpec]:
    """Return everything but the mock exchange, in the order in which it is started."""
    per_venue = [spec for venue in venues for spec in _venue_processes(venue)]
    return [
        *per_venue,
        _worker("ticks", "ticks"),
        _worker("portfolio", "portfolio"),
        _worker("general", "general"),
        _worker("notices", "notices"),
        _worker("research", "research"),
        _manage("risk_guard", "risk_guard"),
        _manage("dispatcher", "dispatcher"),
        _manage("alert_watch", "alerts", "watch"),
        _celery("beat", "beat", "--loglevel=INFO", "--pidfile="),
        _manage("metrics", "metrics", "--port", str(ports.metrics)),
        web_process(ports),
        flower_process(),
        # Only where somebody said to whom to listen.
        *([_manage("telegram", "telegram")] if settings.TELEGRAM_COMMANDS_TOKEN else []),
    ]


def web_process(ports: Ports) -> ProcessSpec:
    """Return the web process: admin and API."""
    options = ["--host", "127.0.0.1", "--port", str(ports.web), "--no-access-log"]
    # Small messages to many: packing them costs more than it saves. A page says little, so little is taken.
    options += ["--ws", "websockets-sansio", "--ws-per-message-deflate", "false", "--ws-max-size", "16384"]
    if settings.WEB_WORKERS > 1:
        options += ["--workers", str(settings.WEB_WORKERS)]
    return _python("web", "-m", "uvicorn", "moondev.asgi:application", *options)


def flower_process() -> ProcessSpec:
    """Return Flower, which only the web process can reach."""
    return _celery("flower", "flower", f"--conf={FLOWER_CONFIG}", "--loglevel=WARNING")


def _venue_processes(venue: str) -> list[ProcessSpec]:
    return [
        _manage(f"stream-market-{venue}", "stream", "market", "--venue", venue),
        _manage(f"stream-user-{venue}", "stream", "user", "--venue", venue),
        _worker(f"orders-{venue}", "orders", venue),
        _worker(f"vetoes-{venue}", "vetoes", venue),
    ]


def _worker(name: str, row: str, venue: str = "") -> ProcessSpec:
    """Return a worker as its row of the table in celeryconfig describes it."""
    rule = celeryconfig.WORKERS[row]
    return _celery(
        name,
        "worker",
        f"--hostname={name}@%h",
        f"--queues={','.join(celeryconfig.queue_name(queue, venue) for queue in rule.queues)}",
        f"--pool={rule.pool}",
        f"--concurrency={rule.concurrency}",
        f"--prefetch-multiplier={rule.prefetch}",
        "--loglevel=INFO",
        # Workers do not need to know of each other, and their greetings delay the start.
        "--without-gossip",
        "--without-mingle",
        stop_s=_WORKER_STOP_S,
    )


def _celery(name: str, *arguments: str, stop_s: float = 10.0) -> ProcessSpec:
    return _python(name, "-m", "celery", "-A", "moondev.celery", *arguments, stop_s=stop_s)


def _manage(name: str, *arguments: str) -> ProcessSpec:
    return _python(name, "manage.py", *arguments)


def _python(name: str, *arguments: str, stop_s: float = 10.0) -> ProcessSpec:
    return ProcessSpec(name, [sys.executable, *arguments], stop_s=stop_s)
