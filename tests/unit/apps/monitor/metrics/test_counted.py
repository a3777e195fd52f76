"""What many processes have counted, added up by another."""

from __future__ import annotations

import json
import os

import pytest
from prometheus_client.parser import text_string_to_metric_families

from apps.monitor.metrics import counted as counted_module
from apps.monitor.metrics.counted import ENDED, Counted, CountedFolder
from apps.monitor.metrics.known import Known
from apps.monitor.metrics.text import CountedText
from moondev.counting.measures import Counter, Gauge, Histogram
from moondev.counting.store import Store

EVENTS = Counter("t_events_total", 'What "happens".\nAnd more.', ("strategy",))
STAGES = Histogram("t_seconds", "How long.", ("strategy", "venue"), bounds=(0.1, 1.0))
BUSY = Gauge("t_busy", "How much now.")
NEWEST = Gauge("t_newest", "The newest.", over="max")
TABLE = {measure.name: measure for measure in (EVENTS, STAGES, BUSY, NEWEST)}


@pytest.fixture(autouse=True)
def own_table(monkeypatch):
    monkeypatch.setattr(counted_module, "OURS", TABLE)


@pytest.fixture
def processes(tmp_path):
    """Two stores, as of two processes, that live."""
    stores = [Store(tmp_path), Store(tmp_path)]
    yield stores
    for store in stores:
        store.let_go()


def count(store, events, busy, newest):
    store.add(("t_events_total", ("turtle",)), 1, [(0, events)])
    store.add(("t_seconds", ("turtle", "bybit")), 4, [(0, 0.5), (2, 1.0)])
    store.put(("t_busy", ()), busy)
    store.put(("t_newest", ()), newest)


def ended(store, tmp_path):
    """End a process: its lock goes with its files."""
    store.let_go()


def test_processes_are_added_up_and_gauges_by_what_they_are(tmp_path, processes):
    count(processes[0], 2, busy=1, newest=100)
    count(processes[1], 3, busy=4, newest=50)
    folder = CountedFolder(tmp_path)
    read = folder.read()
    assert read.series["t_events_total", ("turtle",)] == [5]
    assert read.series["t_seconds", ("turtle", "bybit")] == [1.0, 0, 2, 0]
    assert (read.series["t_busy", ()], read.series["t_newest", ()]) == ([5], [100])
    assert [one.pid for one in read.living] == [os.getpid()] * 2
    # What comes later is read too, a new series as well.
    processes[0].add(("t_events_total", ("other",)), 1, [(0, 7.0)])
    processes[1].add(("t_events_total", ("turtle",)), 1, [(0, 1.0)])
    series = folder.read().series
    assert (series["t_events_total", ("turtle",)], series["t_events_total", ("other",)]) == ([6], [7])


def test_who_has_ended_counts_on_takes_no_room_and_is_no_gauge_any_more(tmp_path, processes):
    count(processes[0], 2, busy=1, newest=100)
    count(processes[1], 3, busy=4, newest=50)
    folder, other = CountedFolder(tmp_path), CountedFolder(tmp_path)
    other.read()
    ended(processes[0], tmp_path)
    for reader in (folder, other):
        read = reader.read()
        assert read.series["t_events_total", ("turtle",)] == [5]
        assert (read.series["t_busy", ()], len(read.living)) == ([4], 1)
    assert folder.fold() == 1
    assert folder.fold() == 0
    assert len(list(tmp_path.glob("*.numbers"))) == len(list(tmp_path.glob("*.names"))) == 1
    for reader in (folder, other, CountedFolder(tmp_path)):
        read = reader.read()
        assert read.series["t_events_total", ("turtle",)] == [5]
        assert read.series["t_seconds", ("turtle", "bybit")] == [1.0, 0, 2, 0]
        assert read.series["t_busy", ()] == [4]
    ended(processes[1], tmp_path)
    assert folder.fold() == 1
    read = CountedFolder(tmp_path).read()
    assert (read.series["t_events_total", ("turtle",)], read.living) == ([5], ())
    assert ("t_busy", ()) not in read.series


def test_one_that_was_stopped_while_putting_away_makes_nothing_count_twice(tmp_path, processes, monkeypatch):
    count(processes[0], 2, busy=1, newest=1)
    ended(processes[0], tmp_path)

    def stopped(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr("pathlib.Path.unlink", stopped)
        with pytest.raises(KeyboardInterrupt):
            CountedFolder(tmp_path).fold()
    assert (tmp_path / ENDED).exists()
    folder = CountedFolder(tmp_path)
    assert folder.read().series["t_events_total", ("turtle",)] == [2]
    assert folder.fold() == 1
    assert folder.read().series["t_events_total", ("turtle",)] == [2]
    assert len(list(tmp_path.glob("*.numbers"))) == 1


def test_what_cannot_be_read_is_left_out_and_said(tmp_path, processes, caplog):
    count(processes[0], 2, busy=1, newest=1)
    processes[0].add(("t_unknown", ()), 1, [(0, 1.0)])
    processes[0].add(("t_events_total", ("too wide",)), 3, [(0, 1.0)])
    (tmp_path / "9-x.numbers").write_bytes(b"")
    (tmp_path / "9-x.names").write_text("nonsense\n")
    (tmp_path / "8-x.numbers").write_bytes(b"")
    (tmp_path / ENDED).write_text('{"names": 3')
    series = CountedFolder(tmp_path).read().series
    assert set(series) == {(name, labels) for name, labels in series if name in TABLE}
    assert series["t_events_total", ("turtle",)] == [2]
    assert ("t_events_total", ("too wide",)) not in series
    assert caplog.text.count("cannot be read") == 3
    assert CountedFolder(tmp_path / "nowhere").read() == Counted()
    assert CountedFolder(tmp_path / "nowhere").fold() == 0


def test_the_archive_is_plain_and_forgets_nothing(tmp_path, processes):
    count(processes[0], 2, busy=1, newest=1)
    ended(processes[0], tmp_path)
    CountedFolder(tmp_path).fold()
    kept = json.loads((tmp_path / ENDED).read_text())
    assert sorted(kept["series"]) == [
        ["t_events_total", ["turtle"], [2.0]], ["t_seconds", ["turtle", "bybit"], [0.5, 0.0, 1.0, 0.0]],
    ]  # fmt: skip


def test_the_text_is_what_prometheus_reads():
    series = {
        ("t_events_total", ('od"d\\\n',)): [3.0],
        ("t_seconds", ("turtle", "bybit")): [2.25, 1.0, 2.0, 1.0],
        ("t_busy", ()): [1.5],
    }
    text = CountedText().write(TABLE.values(), series)
    families = {family.name: family for family in text_string_to_metric_families(text)}
    (events,) = families["t_events"].samples
    assert (events.labels, events.value) == ({"strategy": 'od"d\\\n'}, 3)
    assert families["t_events"].documentation == 'What "happens".\nAnd more.'
    found = {(s.name, s.labels.get("le")): s.value for s in families["t_seconds"].samples}
    assert found == {
        ("t_seconds_bucket", "0.1"): 1, ("t_seconds_bucket", "1"): 3, ("t_seconds_bucket", "+Inf"): 4,
        ("t_seconds_count", None): 4, ("t_seconds_sum", None): 2.25,
    }  # fmt: skip
    assert families["t_busy"].samples[0].value == 1.5
    assert families["t_newest"].samples == []


def test_what_was_deleted_is_told_to_nobody():
    known = Known(frozenset({"turtle"}), ("bybit",), frozenset({"bybit"}))
    series = {
        ("t_events_total", ("turtle",)): [1.0], ("t_events_total", ("gone",)): [1.0], ("t_busy", ()): [1.0],
        ("t_seconds", ("turtle", "bybit")): [1.0] * 4, ("t_seconds", ("turtle", "gone")): [1.0] * 4,
    }  # fmt: skip
    assert set(known.of(TABLE, series)) == {
        ("t_events_total", ("turtle",)), ("t_busy", ()), ("t_seconds", ("turtle", "bybit")),
    }  # fmt: skip


def test_what_another_version_has_counted_is_left_out_and_stops_no_scrape(tmp_path, processes):
    count(processes[0], 2, busy=1, newest=1)
    processes[0].add(("t_events_total", ("turtle", "and more")), 1, [(0, 1.0)])
    foreign = [["t_gone_total", ["turtle"], [9.0]], ["t_events_total", ["turtle", "x"], [9.0]],
               ["t_seconds", ["turtle", "bybit"], [9.0]], ["t_events_total", ["turtle"], [3.0]]]  # fmt: skip
    (tmp_path / ENDED).write_text(json.dumps({"names": [], "series": foreign}))
    series = CountedFolder(tmp_path).read().series
    known = Known(frozenset({"turtle"}), ("bybit",), frozenset({"bybit"}))
    text = CountedText().write(TABLE.values(), known.of(TABLE, series))
    assert 't_events_total{strategy="turtle"} 5.0\n' in text
    assert 't_seconds_sum{strategy="turtle",venue="bybit"} 0.5\n' in text
    assert "9.0" not in text
