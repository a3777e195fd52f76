"""All dashboards, and the files that Grafana reads them from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from apps.monitor.metrics.grafana.pages import capital, latency, processes, risk, venues
from apps.monitor.metrics.grafana.panels import Dashboard, dashboard_json
from moondev.settings.env import PROJECT_ROOT

DASHBOARDS: tuple[Dashboard, ...] = (capital.PAGE, latency.PAGE, venues.PAGE, processes.PAGE, risk.PAGE)
FOLDER = PROJECT_ROOT / "docker" / "grafana" / "dashboards"


def dashboard_files() -> Mapping[Path, str]:
    """Return the text of every dashboard's file."""
    return MappingProxyType(
        {FOLDER / f"{page.uid}.json": f"{json.dumps(dashboard_json(page), indent=2)}\n" for page in DASHBOARDS}
    )
