"""The contest of backtest engines: who is measured, who is not there, and that all do the same."""

import pytest

from tests.bench.engines import Contest, Contestant, Laps, held, require_equal
from tests.bench.servers import BenchError
from tests.oracle import questions
from tests.oracle.questions import Engine

OURS = Contestant("ours, columns", kind="columns")
THEIRS = Contestant("another", Engine("another", "timed_vectorbt.py"))
SMALL = Contest("a small one", 2_000, ((5, 20), (10, 30)), (OURS, THEIRS), "backtests/s")


def laps(**trades):
    return {name: Laps(0.0, trades=count) for name, count in trades.items()}


def test_who_is_there_is_measured_and_who_is_not_is_named_with_the_way_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setattr(questions, "ENVIRONMENTS", tmp_path)
    section = held(SMALL)
    ours, theirs = section.rows
    assert (ours.name, ours.spread.count, theirs.spread.count) == ("ours, columns", 5, 0)
    assert ours.facts["rate"] == pytest.approx(2 / (ours.spread.median / 1000))
    assert ours.facts["peak_mb"] > 10
    assert "backtests/s" in ours.note
    assert theirs.note == "not measured here: docker/oracle-environment another installs it"


def test_engines_that_make_other_trades_are_not_compared():
    require_equal(SMALL.name, laps(ours=520, theirs=521))
    with pytest.raises(BenchError, match="a small one: different numbers of trades"):
        require_equal(SMALL.name, laps(ours=520, theirs=522))


def test_an_engine_that_dies_says_so_instead_of_hanging(monkeypatch):
    broken = Contest("a broken one", 100, ((5, 20),), (Contestant("ours, nothing", kind="no such kind"),))
    with pytest.raises(BenchError, match="ours, nothing ended with 1 instead of an answer"):
        held(broken)
