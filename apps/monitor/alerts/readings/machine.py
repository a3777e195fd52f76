"""This machine: room on its disks."""

from __future__ import annotations

import shutil
from pathlib import Path

from django.conf import settings

from apps.monitor.alerts.look import Look
from apps.monitor.alerts.measured import Measured, Readings, number, scope


def disk_use(_look: Look) -> Readings:
    """Return how full the file systems are on which logs and market data are kept; a path that is gone is not known."""
    folders = {settings.RUN_DIR, settings.BASE_DIR}
    found = {}
    for folder in sorted(folders):
        found[scope("disk", str(folder))] = _use(folder)
    return found


def _use(folder: Path) -> Measured:
    # The folder may yet have to be made; what it will lie on is there.
    there = next((place for place in (folder, *folder.parents) if place.exists()), folder)
    try:
        usage = shutil.disk_usage(there)
    except OSError as error:
        return Measured(None, str(error))
    free = usage.free / 1e9
    return Measured(number(1 - usage.free / usage.total), f"{free:.1f} GB free of {usage.total / 1e9:.0f} GB")
