"""Only a backtest of this very version of the strategy tells what to expect of it."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pytest

from apps.exchanges.models import Account, InstrumentRow, Portfolio, Venue
from apps.strategies.backtest.archive import curve_to_bytes, trades_to_bytes
from apps.strategies.backtest.results import EquityCurve
from apps.strategies.models import BacktestArchive, BacktestRun, BacktestStatus
from apps.strategies.promotion.evidence import version_of
from apps.strategies.promotion.reference import checks_missing, reference_returns, returns_by_day
from apps.strategies.registry import preset
from apps.strategies.services import strategy_create
from moondev.domain.clock import LiveClock

DAY = 86_400_000


def curve(*equity, start=0):
    values = np.array(equity, dtype=np.float64)
    return EquityCurve(start + np.arange(1, len(values) + 1) * DAY // 2, values, np.zeros(len(values)))


def test_daily_returns_are_between_the_last_figures_of_two_days():
    assert returns_by_day(curve(100, 101, 102, 103.02, 90)) == {
        date(1970, 1, 2): pytest.approx(0.02), date(1970, 1, 3): pytest.approx(90 / 103.02 - 1),
    }  # fmt: skip
    assert returns_by_day(curve(100, 101)) == {}


@pytest.fixture
def strategy(db):
    venue = Venue.objects.create(
        code="hyperliquid", protocol="hyperliquid", environment="paper", rest_url="http://x", websocket_url="ws://x"
    )
    btc = InstrumentRow.objects.create(
        venue=venue, symbol="BTC", asset="BTC", quote="USDC", tick=Decimal("0.1"), lot=Decimal("0.001")
    )
    portfolio = Portfolio.objects.create(code="paper", currency="USDC", environment="paper")
    account = Account.objects.create(code="p1", venue=venue, portfolio=portfolio, address="0x1", currency="USDC")
    return strategy_create(
        slug="turtle", kind="turtle_trend", account=account, instruments=[btc], actor="test", now=LiveClock().now(),
        parameters=preset("turtle_trend", "canonical").model_dump(mode="json"), capital=Decimal(1),
    )  # fmt: skip


def stored(row, **changes):
    now = LiveClock().now()
    values = {
        "title": "t", "kind": row.kind, "strategy": row, "parameters_version": row.parameters_version, "request": {},
        "status": BacktestStatus.DONE, "asked_by": "test", "asked_at": now, "sent_at": now, "finished_at": now,
        "code_hash": version_of(row).code_hash,
    }  # fmt: skip
    run = BacktestRun.objects.create(**{**values, **changes})
    BacktestArchive.objects.create(
        run=run, curve=curve_to_bytes(curve(100, 101, 102, 103)), trades=trades_to_bytes(()), prices=b""
    )


def test_the_backtest_of_the_version_is_found_and_no_other(strategy):
    code = version_of(strategy).code_hash
    stored(strategy, parameters_version=99)
    stored(strategy, code_hash="beef")
    stored(strategy, strategy=None)
    stored(strategy, status=BacktestStatus.FAILED)
    assert reference_returns(strategy, code) is None
    stored(strategy, finished_at=LiveClock().now() + timedelta(seconds=1))
    assert reference_returns(strategy, code) == {date(1970, 1, 2): pytest.approx(103 / 101 - 1)}


def test_without_any_check_nothing_is_known(strategy):
    assert checks_missing(strategy, version_of(strategy).code_hash) is None
