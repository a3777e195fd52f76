"""Counting in one process: what readers find, and that nothing it meets can stop who counts."""

from __future__ import annotations

import os
import resource
import threading

import pytest

from moondev.counting import store as store_module
from moondev.counting.measures import Counter, Gauge, Histogram
from moondev.counting.store import FIRST_PLACES, Store, process_store, process_store_forget
from moondev.domain.errors import InvalidValue

STAGES = Histogram("test_seconds", "How long.", ("stage",), bounds=(0.1, 1.0))
EVENTS = Counter("test_events_total", "What happens.", ("kind", "where"))
NOW = Gauge("test_now", "What is now.")


@pytest.fixture(autouse=True)
def own_store(settings, tmp_path):
    """Give the test numbers of its own, in a folder of its own."""
    settings.MOONDEV_METRICS_DIR = tmp_path / "metrics"
    process_store_forget()
    yield
    process_store_forget()


def test_what_is_counted_can_be_read_back():
    EVENTS.add("ok", "here")
    EVENTS.add("ok", "here", amount=2.5)
    EVENTS.add("ok", "there")
    NOW.put(7)
    NOW.put(5)
    assert (EVENTS.value("ok", "here"), EVENTS.value("ok", "there"), EVENTS.value("bad", "here")) == (3.5, 1, 0)
    assert process_store().read(("test_now", ()), 1) == [5]


def test_a_histogram_counts_each_in_one_bucket_and_takes_less_than_nothing_for_none():
    for seconds in (-3.0, 0.0, 0.1, 0.1001, 1.0, 9.0, float("nan")):
        STAGES.observe(seconds, "submit")
    numbers = process_store().read(("test_seconds", ("submit",)), 4)
    assert numbers == [pytest.approx(0.1 + 0.1001 + 1 + 9), 4, 2, 1]
    assert STAGES.count("submit") == 7


def test_labels_that_do_not_fit_are_refused():
    with pytest.raises(InvalidValue, match=r"of test_events_total: kind, where"):
        EVENTS.add("ok")


def test_nothing_is_lost_when_the_row_grows_and_threads_count_at_once():
    def count(mine):
        for number in range(600):
            EVENTS.add("all", "one")
            EVENTS.add(f"{mine}", f"{number}")

    threads = [threading.Thread(target=count, args=(mine,)) for mine in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert EVENTS.value("all", "one") == 4_800
    assert len(process_store()._row) > FIRST_PLACES
    assert all(EVENTS.value("3", f"{number}") == 1 for number in range(600))


def test_a_forked_process_counts_for_itself_from_zero(settings):
    EVENTS.add("ok", "here", amount=5)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        EVENTS.add("ok", "here")
        os.write(writing, str(EVENTS.value("ok", "here")).encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reading, 100) == b"1.0"
    assert EVENTS.value("ok", "here") == 5
    assert len(list(settings.MOONDEV_METRICS_DIR.glob("*.numbers"))) == 2
    os.close(reading)
    os.close(writing)


def test_a_folder_that_cannot_be_made_costs_the_sight_not_the_count(settings, tmp_path, caplog):
    (tmp_path / "file").write_text("in the way")
    settings.MOONDEV_METRICS_DIR = tmp_path / "file" / "metrics"
    process_store_forget()
    EVENTS.add("ok", "here")
    assert EVENTS.value("ok", "here") == 1
    assert "cannot be seen" in caplog.text


def test_a_disk_that_is_full_costs_the_sight_not_the_count(caplog):
    """A limit on the size of files stands in for the disk: the kernel refuses the same call with another number."""
    EVENTS.add("ok", "here", amount=3)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    import signal

    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (FIRST_PLACES * 8, hard))
    try:
        for number in range(FIRST_PLACES + 10):
            EVENTS.add("more", f"{number}")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    assert EVENTS.value("ok", "here") == 3
    assert EVENTS.value("more", f"{FIRST_PLACES + 9}") == 1
    assert caplog.text.count("cannot be seen") == 1


def test_too_many_series_are_not_counted_and_said_once(monkeypatch, caplog):
    monkeypatch.setattr(store_module, "MOST_PLACES", 3)
    for number in range(6):
        EVENTS.add("x", f"{number}")
    STAGES.observe(1.0, "submit")
    assert [EVENTS.value("x", f"{number}") for number in range(6)] == [1, 1, 1, 0, 0, 0]
    assert caplog.text.count("is not counted") == 1


def test_without_a_folder_it_counts_in_memory():
    alone = Store(None)
    for number in range(FIRST_PLACES + 1):
        alone.add(("x", (str(number),)), 1, ((0, 1.0),))
    assert alone.read(("x", (str(FIRST_PLACES),)), 1) == [1]
    alone.let_go()
