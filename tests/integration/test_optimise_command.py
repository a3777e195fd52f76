"""The command line of searches, up to where processes begin."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from apps.strategies.management.commands import optimise
from apps.strategies.models import OptimisationRun
from apps.strategies.optimise.working import work
from moondev.domain.clock import LiveClock
from tests.integration.optimisation_world import FILE, write_bars

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]
SEARCH = ("--set", "trend_interval=none", "--space", "length=5:60", "--space", "entry_z=0.5:2.5", "--min-trades", "2")


@pytest.fixture
def here(tmp_path, monkeypatch, settings):
    """Stand in a folder with data, and let one worker of this process do the work."""
    write_bars(tmp_path)
    settings.MOONDEV_DATA_DIR = tmp_path
    monkeypatch.chdir(tmp_path)

    def alone(run_id, workers, told):
        work(run_id, "alone", LiveClock(), lambda: False)
        return OptimisationRun.objects.get(pk=run_id)

    monkeypatch.setattr(optimise, "run_here", alone)
    return tmp_path


def run(*arguments):
    out = StringIO()
    call_command("optimise", *arguments, stdout=out, stderr=StringIO())
    return out.getvalue()


def test_a_search_prints_its_verdict_and_its_tables_and_writes_a_report(here):
    told = run(
        "mean_reversion", "--data", FILE, *SEARCH, "--trials", "20", "--folds", "2", "--objective", "net,drawdown",
        "--sampler", "nsga2", "--seed", "7", "--report", "out/report.html",
    )  # fmt: skip
    assert "20 of 20 trials ended" in told
    assert "chosen before, judged after" in told
    assert "length=" in told
    page = (here / "out" / "report.html").read_text(encoding="utf-8")
    assert "Every answer as a line" in page
    kept = OptimisationRun.objects.get()
    assert (kept.plan["seed"], kept.plan["purge_bars"], kept.lanes) == (7, 96, 0)
    assert run("--show", str(kept.pk)).startswith(f"run {kept.pk}, done")
    assert "was over: done" in run("--cancel", str(kept.pk))
    with pytest.raises(CommandError, match="not done"):
        run("--resume", str(kept.pk))


def test_lanes_leave_the_work_to_the_queue(here, monkeypatch):
    sent = []
    monkeypatch.setattr("apps.strategies.optimise.services.send_lanes", lambda *lanes: sent.append(lanes))
    told = run("mean_reversion", "--data", FILE, *SEARCH, "--trials", "5", "--folds", "0", "--lanes", "3")
    kept = OptimisationRun.objects.get()
    assert sent == [(kept.pk, 3)]
    assert (kept.status, kept.plan["folder"]) == ("queued", "")
    assert "left to the research queue" in told


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "a name, or --resume"),
        (("mean_reversion", "--data", FILE, "--space", "magic=1:2"), "a parameter of the strategy"),
        (("mean_reversion", "--data", FILE, "--space", "length=1:9"), "at least 2"),
        (("mean_reversion", "--data", FILE, "--objective", "beauty"), "sharpe"),
        (("mean_reversion", "--data", FILE, "--folds", "400"), "fewer"),
        (("mean_reversion", "--data", FILE, "--sampler", "grid", "--trials", "10"), "or a smaller space"),
        (("mean_reversion", "--data", FILE, "--workers", "0"), "workers is 0"),
        (("mean_reversion", "--data", "absent.parquet"), "absent.parquet"),
        (("--resume", "77"), "the number of a stored run"),
        (("--show", "77"), "the number of a stored run"),
    ],
)
def test_what_cannot_be_searched_is_refused_and_nothing_is_stored(here, arguments, words):
    with pytest.raises(CommandError, match=words):
        run(*arguments)
    assert not OptimisationRun.objects.exists()
