"""A real Prometheus, as docker/prometheus describes it, that scrapes what a test runs."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from apps.monitor.metrics.grafana.dashboards import DASHBOARDS
from moondev.servers.probes import free_port
from moondev.settings.env import PROJECT_ROOT

PROGRAM = shutil.which("prometheus")
PROMTOOL = shutil.which("promtool")
CONFIGURATION = PROJECT_ROOT / "docker" / "prometheus"
# So often that the questions over a minute have something to say after a few seconds.
EVERY = "2s"
# What may have nothing to say in a demo that goes well, and why.
MAY_BE_EMPTY = {
    "moondev_ticks_oldest_seconds": "no tick need be under way at that moment",
    "moondev_commands_oldest_seconds": "nor a cancel",
    "moondev_orders_oldest_seconds": "nor need an order rest",
    "moondev_venue_rejects_total": "a venue need not refuse anything",
    "moondev_refusals_total": "nor the review",
    "moondev_api_seconds": "nobody need look",
}


@dataclass(frozen=True, slots=True)
class Prometheus:
    """One that runs."""

    home: str

    def ask(self, expr: str, at: float | None = None) -> list[dict]:
        """Return what a question finds; an error of it is an error here."""
        given = {"query": expr} if at is None else {"query": expr, "time": at}
        answer = requests.get(f"{self.home}/api/v1/query", given, timeout=10).json()
        assert answer["status"] == "success", (expr, answer)
        return answer["data"]["result"]

    def rules(self) -> list[dict]:
        """Return every rule with how its evaluation went."""
        groups = requests.get(f"{self.home}/api/v1/rules", timeout=10).json()["data"]["groups"]
        return [rule for group in groups for rule in group["rules"]]

    def last_scrape(self) -> float:
        """Return when the exporter last answered while the guard still worked: what is old it does not tell."""
        [found] = self.ask('max(max_over_time(timestamp(moondev_equity{level="total"})[10m:1s]))')
        return float(found["value"][1])


def asks_all(watching: Prometheus) -> None:
    """Ask every question of every panel, and look at every rule: all are understood, and those that must find data."""
    at = watching.last_scrape()
    found = {(page, panel, expr): watching.ask(expr, at) for page, panel, expr in panel_questions()}
    silent = [key for key, rows in found.items() if not rows and not any(name in key[2] for name in MAY_BE_EMPTY)]
    assert silent == [], silent
    wrong = [(rule["name"], rule["lastError"]) for rule in watching.rules() if rule["health"] != "ok"]
    assert wrong == [], wrong


@contextmanager
def prometheus(folder: Path, port: str) -> Iterator[Prometheus]:
    """Run a Prometheus that scrapes an exporter on `port` of this machine; its data stay in `folder`."""
    shutil.copytree(CONFIGURATION, folder)
    main = folder / "prometheus.yml"
    text = main.read_text(encoding="utf-8")
    for setting in ("scrape_interval", "evaluation_interval"):
        assert f"{setting}: 5s" in text
        text = text.replace(f"{setting}: 5s", f"{setting}: {EVERY}")
    main.write_text(text.replace("scrape_timeout: 4s", f"scrape_timeout: {EVERY}"), encoding="utf-8")
    (folder / "targets.yml").write_text(f"- targets: ['127.0.0.1:{port}']\n", encoding="utf-8")
    own = free_port()
    options = [f"--config.file={main}", f"--storage.tsdb.path={folder}/data", f"--web.listen-address=127.0.0.1:{own}"]
    with (folder / "log").open("wb") as log, subprocess.Popen([PROGRAM, *options], stdout=log, stderr=log) as process:
        try:
            home = f"http://127.0.0.1:{own}"
            _wait(home, process)
            yield Prometheus(home)
        finally:
            process.terminate()


def panel_questions() -> list[tuple[str, str, str]]:
    """Return dashboard, panel and question of everything that is drawn, with every choice made as "All"."""
    return [
        (page.uid, panel.title, _all(one.expr)) for page in DASHBOARDS for panel in page.panels for one in panel.queries
    ]


def _all(expr: str) -> str:
    for name in ("environment", "venue", "strategy"):
        expr = expr.replace(f"${name}", ".*")
    return expr


def _wait(home: str, process: subprocess.Popen) -> None:
    for _ in range(600):
        try:
            if requests.get(f"{home}/-/ready", timeout=1).ok:
                return
        except requests.RequestException:
            assert process.poll() is None, "Prometheus has ended"
        time.sleep(0.1)
    raise AssertionError("Prometheus is not ready")
