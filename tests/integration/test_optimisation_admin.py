"""Searches as an operator sees them."""

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission

from apps.strategies.models import OptimisationRun
from apps.strategies.optimise.services import optimisation_start
from apps.strategies.optimise.working import work
from moondev.domain.clock import LiveClock
from tests.integration.optimisation_world import plan, write_bars

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]
CLOCK = LiveClock()
LIST = "/admin/strategies/optimisationrun/"


@pytest.fixture
def run(tmp_path, settings):
    """Return a run that has come half way."""
    write_bars(tmp_path)
    settings.MOONDEV_DATA_DIR = tmp_path
    run = optimisation_start(plan(), lanes=0, actor="tester", now=CLOCK.now())
    steps = iter(range(1_000))
    work(run.pk, "one", CLOCK, lambda: next(steps) > 14)
    return run


def person(client, *permissions):
    user = get_user_model().objects.create_user("person", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client.force_login(user)


def test_progress_best_and_picture_are_shown_while_it_runs(client, run):
    person(client, "view_optimisationrun", "view_trial")
    ended = run.trials.exclude(status__in=["waiting", "running"]).count()
    listed = client.get(LIST).content.decode()
    assert f"{ended} of 24" in listed
    page = client.get(f"{LIST}{run.pk}/change/").content.decode()
    assert 'http-equiv="refresh"' in page
    assert f"{ended} of 24 trials ended" in page
    assert "<polyline" in page
    assert "entry_z" in page
    assert 'value="cancel"' not in page
    trials = client.get(f"/admin/strategies/trial/?run__id__exact={run.pk}").content.decode()
    assert trials.count("field-number") >= ended
    trial = run.trials.filter(status="done").first()
    assert "stop_z" in client.get(f"/admin/strategies/trial/{trial.pk}/change/").content.decode()
    report = client.get(f"{LIST}{run.pk}/report/").content.decode()
    assert "How to read this" in report


def test_a_run_is_cancelled_and_taken_up_by_those_who_may(client, run, monkeypatch):
    sent = []
    monkeypatch.setattr("apps.strategies.optimise.services.send_lanes", lambda *lanes: sent.append(lanes))
    act = {"_selected_action": run.pk, "index": 0, "confirmed": "yes"}
    person(client, "view_optimisationrun")
    client.post(LIST, {**act, "action": "cancel"})
    assert OptimisationRun.objects.get().status == "running"

    get_user_model().objects.all().delete()
    person(client, "view_optimisationrun", "add_optimisationrun")
    client.post(LIST, {**act, "action": "cancel"})
    assert OptimisationRun.objects.get().status == "cancelled"
    assert OptimisationRun.objects.get().error == "cancelled by person"
    client.post(LIST, {**act, "action": "go_on"})
    assert OptimisationRun.objects.get().status == "queued"
    assert sent == [(run.pk, 2)]


def test_a_report_is_only_for_those_who_may_read_runs(client, run):
    person(client)
    assert client.get(f"{LIST}{run.pk}/report/").status_code == 403
    assert client.get(f"{LIST}{run.pk}/change/").status_code == 403
