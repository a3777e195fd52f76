"""The demo as people run it, for tests: its environment, its command, its report, and what it has started."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from moondev.servers.probes import free_port

PROJECT_ROOT = Path(__file__).resolve().parents[2]
RECORDING = PROJECT_ROOT.parent / "shared/data/ohlcv/hyperliquid-perp_BTCUSDC_1m_202507-202507.parquet"


def environment_of(folder: Path) -> dict[str, str]:
    """A run folder and ports of one test's own, and none of the servers that other tests use."""
    kept = {
        k: v for k, v in os.environ.items() if k not in {"DATABASE_URL", "BROKER_URL", "REDIS_URL", "MOONDEV_CLOCK"}
    }
    ports = {name: str(free_port()) for name in ("MOCK_PORT", "WEB_PORT", "METRICS_PORT")}
    return {**kept, **ports, "MOONDEV_RUN_DIR": str(folder / "run"), "DJANGO_SETTINGS_MODULE": "moondev.settings.dev"}


def demo(environment, *arguments, **options):
    command = [sys.executable, "manage.py", "demo", *arguments]
    return subprocess.Popen(
        command,
        cwd=PROJECT_ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        **options,
    )


def started_by(environment):
    """Return the command lines of running processes that carry this run's mock port in their environment."""
    mark = f"MOCK_PORT={environment['MOCK_PORT']}".encode()
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (entry / "environ").read_bytes().split(b"\0"):
                found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return found


def report_of(output):
    return json.loads(output.strip().splitlines()[-1])
