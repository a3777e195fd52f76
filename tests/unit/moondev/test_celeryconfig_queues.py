"""Two platforms on one broker, each with queues of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

PROJECT_ROOT = Path(__file__).resolve().parents[3]
PROGRAM = """
import json, django
django.setup()
import celeryconfig
routed = celeryconfig.route_task("exchanges.orders_send", (), {"venue": "hyperliquid"}, {})
print(json.dumps([sorted(q.name for q in celeryconfig.task_queues), routed["queue"], celeryconfig.task_default_queue]))
"""


def queues(**environment):
    clean = {"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "moondev.settings.test", **environment}
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM], check=True, capture_output=True, text=True, cwd=PROJECT_ROOT, env=clean
    )
    return json.loads(result.stdout)


def test_a_prefix_renames_every_queue_and_every_route_to_one():
    plain, plain_route, plain_default = queues()
    named, route, default = queues(MOONDEV_QUEUE_PREFIX="demo.")
    assert named == [f"demo.{name}" for name in plain]
    assert (route, default) == (f"demo.{plain_route}", f"demo.{plain_default}")
    assert route in named
