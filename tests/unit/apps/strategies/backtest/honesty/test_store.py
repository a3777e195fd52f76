"""Answers are kept by what they are about, and a gate reads them with the limits of its day."""

from datetime import UTC, datetime
from importlib import import_module

import pytest
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import IntegrityError

from apps.strategies.backtest.honesty.case import Case, Trials
from apps.strategies.backtest.honesty.check import Check, CheckCode, Limit
from apps.strategies.backtest.honesty.gate import REQUIREMENTS, Lacking, Requirement
from apps.strategies.backtest.honesty.limits import LIMITS
from apps.strategies.backtest.honesty.store import checks_keep, checks_of, lacking, limits_now, requirements_now
from apps.strategies.backtest.honesty.stored_trials import trials_kept
from apps.strategies.models import HonestyCheck, HonestyLimit, HonestyRequirement, OptimisationRun, Trial
from apps.strategies.orchestrator.loader import load
from apps.strategies.registry import preset
from tests.unit.apps.strategies.backtest.honesty.test_gate import PASSED, passing
from tests.unit.apps.strategies.backtest.honesty.toys import run, setting_of, walk

NOW = datetime(2026, 1, 1, tzinfo=UTC)
KIND = "mean_reversion"


def case_of(**changed):
    values = {**preset(KIND, "canonical").model_dump(mode="json"), **changed}
    return Case(run, load(KIND, values), setting_of(walk(100)))


def test_the_seed_of_the_database_is_what_is_required_without_one():
    seed = import_module("apps.strategies.migrations.0007_honesty").SEED
    told = [(check, [Limit(CheckCode(check), *figure) for figure in figures]) for check, figures in seed]
    assert told == [(one.check.value, list(one.limits)) for one in REQUIREMENTS]


@pytest.mark.django_db
class TestKeeping:
    @pytest.fixture(autouse=True)
    def _nothing_set(self):
        HonestyRequirement.objects.all().delete()

    def test_what_was_kept_is_read_as_it_was_oldest_first(self):
        case = case_of()
        full = Check(CheckCode.FEES, None, {"a": 1.5, "b": None}, "why", ("at x", "at y"), 4, 12.5)
        checks_keep(case, [full, PASSED[0]], actor="me", now=NOW)
        checks_keep(case, [PASSED[1]], actor="me", now=NOW)
        assert checks_of(KIND, case.loaded.code_hash, case.loaded.parameters) == (full, PASSED[0], PASSED[1])
        row = HonestyCheck.objects.earliest("pk")
        assert (row.asked_by, row.at, row.verdict) == ("me", NOW, "not judged")
        assert row.terms["costs"]["test:BTC"]["taker_bps"] == 2
        assert row.data == "made up"

    def test_other_code_or_parameters_are_another_version(self):
        case = case_of()
        checks_keep(case, PASSED, actor="me", now=NOW)
        own = case.loaded
        assert lacking(KIND, own.code_hash, own.parameters.model_dump(mode="json")) == ()
        # Defaults that are left out are the same parameters.
        assert lacking(KIND, own.code_hash, {"hold_half_lives": 2}) == ()
        assert lacking(KIND, own.code_hash, {}) is None
        assert lacking(KIND, "other", {}) is None
        assert lacking(KIND, own.code_hash, {"length": 21}) is None

    def test_the_newest_answer_to_each_question_counts(self):
        case = case_of()
        checks_keep(case, PASSED, actor="me", now=NOW)
        worse = Check(CheckCode.RANDOM_ENTRIES, False, {"p_value": 0.5}, "", days=40)
        checks_keep(case, [worse], actor="me", now=NOW)
        values = case.loaded.parameters.model_dump(mode="json")
        (lack,) = lacking(KIND, case.loaded.code_hash, values)
        assert (lack.check, lack.why) == (CheckCode.RANDOM_ENTRIES, Lacking.FAILED)
        checks_keep(case, [passing(CheckCode.RANDOM_ENTRIES, days=10)], actor="me", now=NOW)
        (lack,) = lacking(KIND, case.loaded.code_hash, values)
        assert lack.why is Lacking.TOO_SHORT

    def test_rows_of_the_admin_change_what_is_required_and_a_missing_row_means_the_default(self):
        assert requirements_now() == REQUIREMENTS
        assert limits_now() == LIMITS
        HonestyRequirement.objects.create(check_code=CheckCode.DRIFT, required=False)
        row = HonestyRequirement.objects.create(check_code=CheckCode.FEES, days_at_least=90)
        HonestyLimit.objects.create(requirement=row, figure="net_stated", at_least=0.1)
        found = {one.check: one for one in requirements_now()}
        assert CheckCode.DRIFT not in found
        assert len(found) == len(CheckCode) - 1
        # What is not required is judged all the same, by what limits it has.
        assert [limit.check for limit in limits_now() if limit.check is CheckCode.DRIFT] == []
        HonestyLimit.objects.create(
            requirement=HonestyRequirement.objects.get(check_code="drift"), figure="worst_price_bps", at_most=5
        )
        assert Limit(CheckCode.DRIFT, "worst_price_bps", at_most=5) in limits_now()
        assert found[CheckCode.FEES] == Requirement(
            CheckCode.FEES, (Limit(CheckCode.FEES, "net_stated", at_least=0.1),), 90
        )

    def test_a_range_without_ends_or_with_crossed_ends_is_refused(self):
        row = HonestyRequirement.objects.create(check_code=CheckCode.FEES)
        for ends in ({}, {"at_least": 2, "at_most": 1}):
            with pytest.raises(ValidationError):
                HonestyLimit(requirement=row, figure="net", **ends).full_clean()
        with pytest.raises(IntegrityError):
            HonestyLimit.objects.create(requirement=row, figure="net")

    def test_the_admin_shows_answers_and_lets_nobody_change_them(self, admin_client):
        checks_keep(case_of(), [PASSED[0]], actor="me", now=NOW)
        row = HonestyCheck.objects.get()
        shown = admin_client.get(f"/admin/strategies/honestycheck/{row.pk}/change/")
        assert shown.status_code == 200
        assert "differences: 0" in shown.content.decode()
        assert admin_client.get("/admin/strategies/honestycheck/").status_code == 200
        assert admin_client.post(f"/admin/strategies/honestycheck/{row.pk}/delete/").status_code == 403
        registered = admin.site.get_model_admin(HonestyCheck)
        assert not registered.has_add_permission(None)

    def test_the_admin_sets_limits(self, admin_client):
        row = HonestyRequirement.objects.create(check_code=CheckCode.FEES)
        HonestyLimit.objects.create(requirement=row, figure="net_double", at_least=0, at_most=9)
        shown = admin_client.get("/admin/strategies/honestyrequirement/").content.decode()
        assert "0 &lt;= net_double &lt;= 9" in shown
        address = f"/admin/strategies/honestyrequirement/{row.pk}/change/"
        form = {
            "check_code": "fees", "required": "on", "days_at_least": "45", "limits-TOTAL_FORMS": "1",
            "limits-INITIAL_FORMS": "0", "limits-0-figure": "net_stated", "limits-0-at_least": "0.2",
        }  # fmt: skip
        assert admin_client.post(address, form).status_code == 302
        assert requirements_now()[2].days == 45
        assert {limit.figure for limit in requirements_now()[2].limits} == {"net_double", "net_stated"}
        crossed = {**form, "limits-0-figure": "x", "limits-0-at_least": "2", "limits-0-at_most": "1"}
        assert "a lower end below the upper" in admin_client.post(address, crossed).content.decode()


@pytest.mark.django_db
class TestStoredTrials:
    def searched(self, kind, *sharpes):
        run = OptimisationRun.objects.create(
            title="t",
            kind=kind,
            plan={},
            size=9,
            code_hash="c",
            data_hash="d",
            asked_by="me",
            asked_at=NOW,
            sent_at=NOW,
        )
        for number, (status, sharpe) in enumerate(sharpes):
            figures = {"whole": {"sharpe": sharpe}, "folds": []}
            Trial.objects.create(run=run, number=number, parameters={}, seed=1, status=status, figures=figures)

    def test_every_trial_that_ended_counts_and_their_ratios_vary_by_day(self):
        assert trials_kept(KIND) == Trials()
        self.searched(KIND, ("done", 1.0), ("done", 2.0), ("pruned", None), ("waiting", None))
        self.searched(KIND, ("done", 3.0), ("done", None))
        self.searched("turtle_trend", ("done", 9.0))
        found = trials_kept(KIND)
        assert (found.count, found.variance) == (4, pytest.approx(1 / 365))
        self.searched("arbitrage", ("done", 1.0))
        assert trials_kept("arbitrage") == Trials(1, None)
