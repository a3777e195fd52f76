from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import numpy as np
import pytest

from apps.monitor.analytics.drift import drifts
from apps.risk.models import HighWaterMark
from apps.strategies.backtest.archive import curve_to_bytes, trades_to_bytes
from apps.strategies.backtest.metrics import DAY_MS
from apps.strategies.backtest.results import EquityCurve
from apps.strategies.models import (
    BacktestArchive,
    BacktestRun,
    BacktestStatus,
    StageChange,
    StageTerms,
    StrategyDay,
    StrategyRow,
)
from apps.strategies.promotion.evidence import version_of
from apps.strategies.registry import preset
from moondev.domain.clock import milliseconds
from tests.support.analytics_world import START, books

pytestmark = pytest.mark.django_db
D = Decimal
DAY = timedelta(days=1)
NOW = START + 9 * DAY


@pytest.fixture
def row() -> StrategyRow:
    return StrategyRow.objects.create(
        slug="turtle", kind="turtle_trend", account=books().account, capital=1000, stage="live", stage_since=START,
        parameters=preset("turtle_trend", "canonical").model_dump(mode="json"),
    )  # fmt: skip


def keep_backtest(row: StrategyRow, equity) -> None:
    run = BacktestRun.objects.create(
        title="test", kind=row.kind, strategy=row, parameters_version=row.parameters_version, request={},
        status=BacktestStatus.DONE, asked_by="test", asked_at=NOW, sent_at=NOW, finished_at=NOW,
        code_hash=version_of(row).code_hash,
    )  # fmt: skip
    times = milliseconds(START) + (np.arange(len(equity)) + 1) * DAY_MS
    curve = EquityCurve(times, np.array(equity, dtype=np.float64), np.zeros(len(equity)))
    BacktestArchive.objects.create(run=run, curve=curve_to_bytes(curve), trades=trades_to_bytes(()), prices=b"")


def test_live_is_set_beside_the_backtest_of_the_same_version_on_the_same_days(row: StrategyRow) -> None:
    for n in range(8):
        StrategyDay.objects.create(
            strategy=row, day=(START + n * DAY).date(), equity=1000 + n, funded=1000, stage="live"
        )
    keep_backtest(row, [100, 101, 102, 103, 104, 105, 106])
    [drift] = drifts(NOW)
    assert (drift.days, drift.live, drift.backtest) == (6, pytest.approx(0.006), pytest.approx(0.06))
    differences = [1 / (1000 + n) - 1 / (100 + n) for n in range(6)]
    assert drift.tracking_error == pytest.approx(np.std(differences, ddof=1))
    assert drift.why == {"deviations": "it never changed its stage"}


def test_profit_behind_its_band_lags_and_what_is_not_known_says_why(row: StrategyRow) -> None:
    [drift] = drifts(NOW)
    assert (drift.tracking_error, drift.deviations, drift.lags) == (None, None, None)
    assert drift.why["tracking_error"] == "no backtest of this version of it is stored"
    StageTerms.objects.update_or_create(stage="live", defaults={"capital_share": 1, "band_deviations": 2})
    StageChange.objects.create(
        strategy=row, before="limited_live", after="live", at=NOW - 4 * DAY, actor="test", reason="test",
        parameters_version=1, code_hash="", expected_mean=0.01, expected_deviation=0.02,
    )  # fmt: skip
    assert drifts(NOW)[0].why["deviations"] == "what it is worth now is not known"
    HighWaterMark.objects.create(
        scope_kind="strategy", scope_key="turtle", peak=1000, peak_at=NOW, equity=900, funded=1000, marked_at=NOW
    )
    [drift] = drifts(NOW, "turtle")
    # 10 % lost in four days where 4 % were to be made, 2 % a day being usual.
    assert (drift.deviations, drift.allowed, drift.lags) == (pytest.approx(-3.5), 2.0, True)


def test_one_that_does_not_load_says_so(row: StrategyRow) -> None:
    StrategyRow.objects.update(kind="gone")
    [drift] = drifts(NOW)
    assert drift.why["tracking_error"].startswith("does not load:")
