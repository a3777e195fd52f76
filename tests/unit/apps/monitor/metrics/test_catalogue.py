"""Dashboards, rules, documentation and code speak of the same metrics."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from typing import Any, Literal

import pytest
import yaml
from pydantic import BaseModel, ConfigDict, Field

from apps.monitor.management.commands.metric_docs import PAGE
from apps.monitor.metrics.catalogue import described, with_table
from apps.monitor.metrics.grafana.dashboards import DASHBOARDS, FOLDER, dashboard_files
from apps.monitor.metrics.grafana.panels import SOURCE
from moondev.settings.env import PROJECT_ROOT
from tests.support.prometheus import MAY_BE_EMPTY, panel_questions

PROMETHEUS = PROJECT_ROOT / "docker" / "prometheus"
GRAFANA = PROJECT_ROOT / "docker" / "grafana"
OF_OURS = re.compile(r"\bmoondev(?:_[a-z0-9]+)+|\bmoondev:[a-z0-9_:]+")
# How units and endings of metrics of ours are called: https://prometheus.io/docs/practices/naming/
NAME = re.compile(r"moondev(_[a-z0-9]+)+")


def rules():
    files = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())["rule_files"]
    groups = [group for file in files for group in yaml.safe_load((PROMETHEUS / file).read_text())["groups"]]
    return [rule for group in groups for rule in group["rules"]]


def questions():
    return [expr for _, _, expr in panel_questions()] + [rule["expr"] for rule in rules()]


def test_what_dashboards_and_rules_ask_for_exists():
    there = {series for one in described() for series in one.series} | {rule.get("record") for rule in rules()}
    asked = {name for expr in questions() for name in OF_OURS.findall(expr)}
    assert asked - there == set()
    assert len(asked) > 40
    # What may be empty in a demo is asked for, too: a list of exceptions must not outlive them.
    assert [name for name in MAY_BE_EMPTY if not any(name in expr for expr in questions())] == []


def test_every_metric_is_named_once_and_said_in_words():
    names = [one.name for one in described()]
    assert len(set(names)) == len(names)
    for one in described():
        assert NAME.fullmatch(one.name)
        assert one.words.endswith(".")
        assert one.name.endswith("_total") == (one.kind == "counter")
        assert not {"order", "order_id", "client_order_id", "user", "instance", "job"} & set(one.labels)


def test_the_page_and_the_dashboards_are_those_of_the_code():
    page = PAGE.read_text(encoding="utf-8")
    assert with_table(page) == page, "run manage.py metric_docs --write"
    assert {path: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.json")} == dict(dashboard_files())


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Source(Strict):
    type: Literal["prometheus"]
    uid: Literal["moondev-prometheus"]


class Target(Strict):
    ref_id: str = Field(alias="refId", pattern="[A-H]")
    datasource: Source
    expr: str = Field(min_length=5)
    legend: str = Field(alias="legendFormat")
    instant: bool
    format: Literal["table", "time_series"] = "time_series"


class Where(Strict):
    x: int = Field(ge=0, le=23)
    y: int = Field(ge=0)
    w: int = Field(ge=1, le=24)
    h: int = Field(ge=1)


class PanelJson(Strict):
    id: int
    title: str = Field(min_length=3)
    description: str
    type: Literal["timeseries", "stat", "table", "state-timeline", "bargauge"]
    datasource: Source
    where: Where = Field(alias="gridPos")
    targets: list[Target] = Field(min_length=1)
    field_config: dict[Literal["defaults", "overrides"], Any] = Field(alias="fieldConfig")
    options: dict[str, Any]


class Page(Strict):
    """What of Grafana's JSON model is used: https://grafana.com/docs/grafana/latest/.../view-dashboard-json-model/."""

    uid: str = Field(max_length=40, pattern="^moondev-[a-z]+$")
    title: str
    description: str
    tags: list[Literal["moondev"]]
    schema_version: Literal[38] = Field(alias="schemaVersion")
    version: int
    editable: bool
    refresh: str
    time: dict[Literal["from", "to"], str]
    timezone: Literal["utc"]
    tooltip: Literal[1] = Field(alias="graphTooltip")
    links: list[dict[str, Any]]
    templating: dict[Literal["list"], list[dict[str, Any]]]
    panels: list[PanelJson] = Field(min_length=5)


def test_every_dashboard_is_one_that_grafana_can_read():
    pages = [Page.model_validate(json.loads(text)) for text in dashboard_files().values()]
    assert len({page.uid for page in pages}) == len(DASHBOARDS) == 5
    for page in pages:
        assert len({panel.id for panel in page.panels}) == len(page.panels)
        taken = [(p.where.x, p.where.y, p.where.w, p.where.h) for p in page.panels]
        for place, (x, y, w, h) in enumerate(taken):
            assert x + w <= 24
            for a, b, c, d in taken[:place]:
                assert x >= a + c or a >= x + w or y >= b + d or b >= y + h, (page.uid, place)
        named = {choice["name"] for choice in page.templating["list"]}
        asked = {name for panel in page.panels for t in panel.targets for name in re.findall(r"\$([a-z]+)", t.expr)}
        assert asked == named


def test_what_grafana_is_given_fits_together():
    [source] = yaml.safe_load((GRAFANA / "provisioning/datasources/prometheus.yml").read_text())["datasources"]
    assert (source["type"], source["uid"]) == (SOURCE["type"], SOURCE["uid"])
    [provider] = yaml.safe_load((GRAFANA / "provisioning/dashboards/moondev.yml").read_text())["providers"]
    assert provider["type"] == "file"


def test_every_alert_says_what_it_is_and_how_bad():
    alerts = [rule for rule in rules() if "alert" in rule]
    assert len({alert["alert"] for alert in alerts}) == len(alerts) > 15
    for alert in alerts:
        assert alert["labels"]["severity"] in {"info", "warning", "critical"}
        assert alert["annotations"]["summary"]


@pytest.mark.skipif(shutil.which("promtool") is None, reason="no promtool here: docker/metrics installs it")
def test_promtool_finds_nothing_wrong():
    done = subprocess.run(
        ["promtool", "check", "config", str(PROMETHEUS / "prometheus.yml")], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
