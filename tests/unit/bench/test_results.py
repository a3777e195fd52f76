"""The table and the JSON of the benchmarks."""

import json
from datetime import UTC, datetime

from tests.bench.figures import Spread
from tests.bench.machine import Spent, Usage
from tests.bench.results import Row, Section, table_of, write_json

USAGE = Usage(10.0, 3.2, 12.5, {"mock": Spent(1.0, 90.0, 60.0), "ticks": Spent(4.0, 300.0, 170.0)})
SECTION = Section(
    "latency",
    "fifty strategies",
    [
        Row("floor", Spread.of([1.0, 2.0, 3.0]), USAGE, 1.25, "two hops"),
        Row("audit", Spread.of([]), note="nothing lost"),
    ],
    USAGE,
)


def test_a_row_shows_its_figures_with_steal_beside_them():
    line = next(line for line in table_of([SECTION]).splitlines() if "floor" in line)
    assert line.split() == ["floor", "3", "2.0", "3.0", "3.0", "1.25", "3.2", "12.5", "two", "hops"]


def test_what_was_not_measured_is_a_stroke_and_not_a_zero():
    line = next(line for line in table_of([SECTION]).splitlines() if "audit" in line)
    assert line.split()[:8] == ["audit", "0", "-", "-", "-", "-", "-", "-"]


def test_processes_are_listed_busiest_first_and_added_up():
    lines = [line.split() for line in table_of([SECTION]).splitlines()]
    names = [line[0] for line in lines if line and line[0] in {"mock", "ticks", "all"}]
    assert names == ["ticks", "mock", "all"]
    assert ["all", "5.0", "50", "390", "230"] in lines


def test_the_cpu_of_an_operation_counts_every_process():
    assert USAGE.cpu_ms_per(100) == 50.0
    assert USAGE.cpu_ms_per(0) is None


def test_the_json_holds_every_row_with_its_usage(tmp_path):
    path = tmp_path / "results" / "one.json"
    write_json(path, [SECTION], datetime(2026, 1, 5, tzinfo=UTC))
    found = json.loads(path.read_text(encoding="utf-8"))
    assert found["began"] == "2026-01-05T00:00:00+00:00"
    row = found["sections"][0]["rows"][0]
    assert row["spread"] == {"count": 3, "median": 2.0, "p99": 3.0, "worst": 3.0}
    assert row["usage"]["steal"] == 3.2
