"""Our own strategies neither peek nor ask for too little past."""

from datetime import timedelta
from decimal import Decimal

import numpy as np
import pytest

from apps.strategies.backtest.costs import Costs
from apps.strategies.backtest.cuts import timeline
from apps.strategies.backtest.data import bars_of_file
from apps.strategies.backtest.engines import backtest
from apps.strategies.backtest.honesty.case import Case
from apps.strategies.backtest.honesty.check import CheckCode
from apps.strategies.backtest.honesty.lengths import decisions_by_length
from apps.strategies.backtest.honesty.look_ahead import look_ahead
from apps.strategies.backtest.honesty.peeking import require_blind
from apps.strategies.backtest.honesty.run import run_checks
from apps.strategies.backtest.honesty.warm_up import needs_of, window
from apps.strategies.backtest.setting import Market, Setting
from apps.strategies.orchestrator.loader import load
from apps.strategies.registry import preset, preset_names, strategy_names
from moondev.domain.clock import from_milliseconds
from tests.unit.apps.strategies.backtest.honesty.toys import bars_of, market_of, walk
from tests.unit.apps.strategies.recorded import FOLDER

PRESETS = [(kind, name) for kind in strategy_names() for name in preset_names(kind)]
MINUTE = timedelta(minutes=1)


def idea_of(kind, name):
    return load(kind, preset(kind, name).model_dump(mode="json"))


def markets(kind, count, interval, deviation):
    """Return bars of one market; for those that compare, of two that go with each other."""
    close = walk(count, deviation=deviation, memory=0.3)
    if kind not in {"correlation", "arbitrage"}:
        return (market_of(bars_of(close, interval)),)
    apart = close * np.exp(np.random.default_rng(5).normal(0, deviation, count))
    other = {"symbol": "ETH"} if kind == "correlation" else {"venue": "other"}
    return (market_of(bars_of(close, interval)), market_of(bars_of(apart, interval), **other))


def case_of(kind, name, windows, more, deviation=0.002, **options):
    """Return a case over so many `windows` of what the strategy asks for, and `more` bars."""
    idea = idea_of(kind, name)
    probe = Setting(markets(kind, 10, MINUTE, deviation))
    interval = min(needs_of(idea, probe).bars, default=MINUTE)
    count = int(windows * (window(idea, probe) / interval)) + more
    setting = Setting(markets(kind, count, interval, deviation), capital=Decimal(100_000))
    return Case(backtest, idea, setting, **options)


def ends_of(case, share, count):
    """Return closes spread over the last `share` of a past."""
    stamps = timeline(case.setting)
    rows = np.linspace(len(stamps) * (1 - share), len(stamps) - 1, count).astype(int)
    return [from_milliseconds(int(stamps[row])) for row in rows]


@pytest.mark.parametrize(("kind", "name"), PRESETS)
def test_no_preset_is_seen_to_peek(kind, name):
    case = case_of(kind, name, 1, 60)
    require_blind(case.loaded, case.setting)


@pytest.mark.parametrize(("kind", "name"), PRESETS)
def test_no_preset_decides_otherwise_on_more_bars_than_it_asks_for(kind, name):
    case = case_of(kind, name, 4, 40)
    if not window(case.loaded, case.setting):
        assert kind == "arbitrage"  # it looks at books alone
        return
    found = decisions_by_length(case, ends_of(case, 0.01, 12))
    assert (found.differing, found.findings) == (0, ())
    assert found.worst_bps < 1e-5


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("turtle_trend", 60), ("mean_reversion", 300), ("consolidation_pop", 100), ("nadaraya_watson", 100),
        ("correlation", 60), ("arbitrage", 60), ("market_maker", 8),
    ],
)  # fmt: skip
def test_every_kind_trades_the_same_whatever_follows_and_whatever_the_date(kind, more):
    # The market maker quotes and fills in every bar, some 50 ms each: its past is as short as it can be.
    found = look_ahead(case_of(kind, "fast", 1, more, budget=4))
    assert found.findings == ()
    assert found.figures["trades"] > 0
    assert found.passed


@pytest.mark.parametrize("kind", ["turtle_trend", "mean_reversion", "consolidation_pop", "nadaraya_watson"])
def test_kinds_trade_the_same_with_one_window_of_past_as_with_four(kind):
    (found,) = run_checks(case_of(kind, "fast", 6, 0, budget=4), [CheckCode.DRIFT])
    assert found.findings == ()
    assert found.passed


RECORDED = [
    ("nadaraya_watson", "canonical", "hyperliquid-perp_BTCUSDC_1h_202409-202507", 2_600),
    ("consolidation_pop", "original", "bybit-linear_ETHUSDT_5m_202504-202507", 1_600),
    ("mean_reversion", "canonical", "binance-usdm_ETHUSDT_15m_202301-202405", 2_400),
]


@pytest.mark.parametrize(("kind", "name", "file", "count"), RECORDED)
def test_on_recorded_bars_they_neither_look_ahead_nor_drift(kind, name, file, count):
    path = FOLDER / f"{file}.parquet"
    if not path.exists():
        pytest.skip(f"recorded bars are not there: {path.name}")
    recorded = bars_of_file(path)
    bars = recorded.bars.tail(count)
    made_up = market_of(bars)
    market = Market(made_up.instrument, made_up.recorded, Costs(maker_bps=2, taker_bps=5))
    case = Case(backtest, idea_of(kind, name), Setting((market,)), budget=8)
    answers = run_checks(case, [CheckCode.LOOK_AHEAD, CheckCode.DRIFT])
    assert [answer.findings for answer in answers] == [(), ()]
    assert [answer.passed for answer in answers] == [True, True]
    assert answers[0].figures["trades"] > 0
