"""Logging as processes set it up, in processes of their own: hooks and handlers are the interpreter's."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from moondev.logs.setup import service_name, this_service

PROJECT_ROOT = Path(__file__).resolve().parents[4]
SCRIPT = """
import logging, logging.config, sys, threading, warnings
from uvicorn.config import LOGGING_CONFIG
logging.config.dictConfig(LOGGING_CONFIG)
import django
django.setup()
secret = "planted-in-the-environment"
logging.getLogger("uvicorn.error").error("a token=%s", secret)
logging.getLogger("uvicorn.access").info("b %s", secret)
logging.getLogger("celery.task").warning("c %s", secret)
logging.getLogger("some.library").warning("%d", secret)
warnings.warn("d " + secret)
thread = threading.Thread(target=lambda: 1 / 0, name=secret)
thread.start(); thread.join()
raise ValueError("e " + secret)
"""


def test_every_library_and_every_accident_ends_in_one_style_without_secrets():
    secret = "planted-in-the-environment"
    environment = {
        **os.environ, "DJANGO_SETTINGS_MODULE": "moondev.settings.staging", "SECRET_KEY": secret, "ALLOWED_HOSTS": "x",
        "DATABASE_URL": "postgres://u@h/d", "BROKER_URL": "amqp://h//", "REDIS_URL": "redis://h/0", "LOG_LEVEL": "INFO",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=PROJECT_ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert secret not in done.stderr + done.stdout
    said = [json.loads(line) for line in done.stderr.splitlines()]
    assert [line["log.logger"] for line in said] == [
        "uvicorn.error", "uvicorn.access", "celery.task", "some.library", "py.warnings", "moondev.uncaught",
        "moondev.uncaught",
    ]  # fmt: skip
    assert said[-1]["error.type"] == "ValueError"
    assert said[-1]["error.message"] == "e ***"
    assert {line["service.environment"] for line in said} == {"staging"}


@pytest.mark.parametrize(
    ("command", "name"),
    [
        (["manage.py", "risk_guard"], "risk_guard"),
        (["manage.py", "stream", "market", "--venue", "binance"], "stream-market-binance"),
        (["/x/celery/__main__.py", "-A", "moondev.celery", "worker", "--hostname=ticks@%h"], "ticks"),
        (["/x/bin/celery", "-A", "moondev.celery", "beat", "--pidfile="], "beat"),
        (["/x/celery/__main__.py", "-A", "moondev.celery", "flower"], "flower"),
        (["/x/uvicorn/__main__.py", "moondev.asgi:application"], "web"),
        (["manage.py"], "manage.py"),
        (["-c"], "-c"),
        ([], "python"),
    ],
)
def test_a_process_is_called_by_what_it_runs(command, name):
    assert service_name(command) == name


def test_who_starts_a_process_may_name_it(monkeypatch):
    monkeypatch.setenv("MOONDEV_PROCESS", "alert_watch")
    assert this_service() == "alert_watch"
    monkeypatch.delenv("MOONDEV_PROCESS")
    assert this_service() == service_name(sys.argv)
