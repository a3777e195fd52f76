"""What a dashboard is made of, in few words, and the JSON that Grafana makes of it.

https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

JSONDict = dict[str, Any]

SOURCE: JSONDict = {"type": "prometheus", "uid": "moondev-prometheus"}
# Grafana's grid is 24 wide.
WHOLE, HALF, THIRD, QUARTER, SIXTH = 24, 12, 8, 6, 4
_HEIGHTS = {"stat": 4, "timeseries": 8, "table": 8, "state-timeline": 8, "bargauge": 8}
GREEN, AMBER, RED = "green", "orange", "red"


@dataclass(frozen=True, slots=True)
class Query:
    """A question in PromQL, and what its lines are called (Grafana fills in labels between double braces)."""

    expr: str
    legend: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """One picture. `steps` colour it: from each value on, the first from the bottom; `words` name values."""

    title: str
    queries: tuple[Query, ...]
    kind: str = "timeseries"
    unit: str = "short"
    width: int = HALF
    about: str = ""
    steps: tuple[tuple[float, str], ...] = ()
    words: tuple[tuple[int, str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Choice:
    """A list at the top of the page: whose values of a label to show."""

    name: str
    metric: str


@dataclass(frozen=True, slots=True)
class Dashboard:
    """A page of panels, left to right and down."""

    uid: str
    title: str
    about: str
    panels: tuple[Panel, ...]
    choices: tuple[Choice, ...] = field(default=())


# What the pages let people choose.
ENVIRONMENT = Choice("environment", "moondev_equity")
VENUE = Choice("venue", "moondev_venue_state")
STRATEGY = Choice("strategy", "moondev_strategy_running")
# Of something of which there should be none.
RIGHT = ((0, GREEN), (1, RED))


def query(expr: str, legend: str = "") -> tuple[Query, ...]:
    """Return a single question."""
    return (Query(expr, legend),)


def dashboard_json(page: Dashboard) -> JSONDict:
    """Return a dashboard as Grafana reads it."""
    return {
        "uid": page.uid,
        "title": page.title,
        "description": page.about,
        "tags": ["moondev"],
        "schemaVersion": 38,
        "version": 1,
        "editable": True,
        "refresh": "5s",
        "time": {"from": "now-1h", "to": "now"},
        "timezone": "utc",
        "graphTooltip": 1,
        "links": [
            {"title": "MoonDev", "type": "dashboards", "tags": ["moondev"], "asDropdown": True, "includeVars": True}
        ],
        "templating": {"list": [_choice_json(choice) for choice in page.choices]},
        "panels": _laid_out(page.panels),
    }


def _laid_out(panels: Sequence[Panel]) -> list[JSONDict]:
    """Return panels in rows: one that does not fit any more begins the next."""
    made, x, y, tallest = [], 0, 0, 0
    for number, panel in enumerate(panels, start=1):
        height = _HEIGHTS[panel.kind]
        if x + panel.width > WHOLE:
            x, y, tallest = 0, y + tallest, 0
        made.append(_panel_json(number, panel, {"x": x, "y": y, "w": panel.width, "h": height}))
        x, tallest = x + panel.width, max(tallest, height)
    return made


def _panel_json(number: int, panel: Panel, where: JSONDict) -> JSONDict:
    at_once = panel.kind in {"table", "stat", "bargauge"}
    return {
        "id": number,
        "title": panel.title,
        "description": panel.about,
        "type": panel.kind,
        "datasource": SOURCE,
        "gridPos": where,
        "targets": [_target_json(letter, one, at_once) for letter, one in zip("ABCDEFGH", panel.queries, strict=False)],
        "fieldConfig": {"defaults": _defaults_json(panel), "overrides": []},
        "options": _OPTIONS.get(panel.kind, {}),
    }


def _target_json(letter: str, one: Query, at_once: bool) -> JSONDict:  # noqa: FBT001  only here
    form = {"instant": True, "format": "table" if not one.legend else "time_series"} if at_once else {"instant": False}
    return {"refId": letter, "datasource": SOURCE, "expr": one.expr, "legendFormat": one.legend, **form}


def _defaults_json(panel: Panel) -> JSONDict:
    defaults: JSONDict = {"unit": panel.unit, "mappings": [], "custom": _CUSTOM.get(panel.kind, {})}
    if panel.steps:
        (_, lowest), *others = panel.steps
        steps = [{"color": lowest, "value": None}, *({"color": colour, "value": value} for value, colour in others)]
        defaults["thresholds"] = {"mode": "absolute", "steps": steps}
        defaults["color"] = {"mode": "thresholds"}
    if panel.words:
        named = {str(value): {"text": text, "color": colour} for value, text, colour in panel.words}
        defaults["mappings"] = [{"type": "value", "options": named}]
        defaults["color"] = {"mode": "thresholds"}
    return defaults


def _choice_json(choice: Choice) -> JSONDict:
    return {
        "name": choice.name,
        "label": choice.name,
        "type": "query",
        "datasource": SOURCE,
        "query": {"query": f"label_values({choice.metric}, {choice.name})", "refId": choice.name},
        "definition": f"label_values({choice.metric}, {choice.name})",
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"selected": True, "text": ["All"], "value": ["$__all"]},
    }


_CUSTOM: dict[str, JSONDict] = {
    "timeseries": {"lineWidth": 1, "fillOpacity": 8, "showPoints": "never", "spanNulls": False},
    "state-timeline": {"fillOpacity": 80, "lineWidth": 0},
}
_OPTIONS: dict[str, JSONDict] = {
    "timeseries": {
        "legend": {"displayMode": "table", "placement": "bottom", "calcs": ["lastNotNull", "max"]},
        "tooltip": {"mode": "multi", "sort": "desc"},
    },
    "stat": {
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "colorMode": "value",
        "graphMode": "none",
        "textMode": "auto",
    },
    "bargauge": {
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "orientation": "horizontal",
        "displayMode": "gradient",
    },
    "state-timeline": {
        "showValue": "never",
        "mergeValues": True,
        "legend": {"displayMode": "list", "showLegend": False},
    },
    "table": {"showHeader": True, "cellHeight": "sm"},
}
