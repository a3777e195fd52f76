"""The contract between the engines: same strategy, same bars, same trades, whether bar by bar or out of columns."""

from datetime import UTC, datetime
from decimal import Decimal
from random import Random

import pytest

from apps.risk.sizing.rule import SizingMethod, SizingRule
from apps.strategies.backtest.costs import Costs
from apps.strategies.backtest.data import Period, bars_of_file
from apps.strategies.backtest.engines import EngineName, backtest
from apps.strategies.backtest.fills import FillRule
from apps.strategies.backtest.replay import replay
from apps.strategies.backtest.setting import Market, Setting
from apps.strategies.backtest.vectorised import run_many, vectorised
from moondev.domain.errors import InvalidValue
from tests.unit.apps.strategies.backtest.signal_world import (
    CHOICES,
    assert_same_trades,
    drawn,
    drawn_setting,
    loaded,
    market,
    presets,
    rough_bars,
)
from tests.unit.apps.strategies.recorded import FOLDER

COSTS = Costs(maker_bps=1, taker_bps=5, spread_bps=2)
BARS = 600


def test_the_presets_trade_alike_bar_by_bar_and_out_of_columns():
    traded = {}
    for number, name in enumerate(("mean_reversion", "consolidation_pop", "nadaraya_watson")):
        for rule in (FillRule.NEXT_OPEN, FillRule.BAR_CLOSE):
            setting = Setting((market(rough_bars(11 + number, BARS), COSTS),), rule)
            for preset, idea in presets(name):
                columns = vectorised(idea, setting)
                assert columns is not None
                assert_same_trades(columns, replay(idea, setting))
                traded[name, preset] = traded.get((name, preset), 0) + len(columns.trades)
    assert sum(count > 0 for count in traded.values()) >= 7, traded
    assert sum(traded.values()) > 300


@pytest.mark.parametrize("name", sorted(CHOICES))
def test_drawn_parameters_markets_costs_and_limits_trade_alike(name):
    traded = told = 0
    for seed in range(8):
        rnd = Random(f"{name} {seed}")
        idea, setting = drawn(name, rnd), drawn_setting(name, rnd, BARS)
        columns = vectorised(idea, setting)
        if columns is not None:
            told += 1
            traded += len(columns.trades)
            assert_same_trades(columns, replay(idea, setting))
    assert told >= 5
    assert traded > 50


def test_a_slice_of_recorded_bars_trades_alike():
    path = FOLDER / "bybit-linear_ETHUSDT_5m_202504-202507.parquet"
    if not path.exists():
        pytest.skip(f"recorded bars are not there: {path.name}")
    period = Period(datetime(2025, 4, 10, tzinfo=UTC), datetime(2025, 4, 13, tzinfo=UTC))
    made = market(rough_bars(1, 2), COSTS)
    setting = Setting((Market(made.instrument, bars_of_file(path, period), COSTS),))
    traded = 0
    for name in ("mean_reversion", "consolidation_pop", "nadaraya_watson"):
        for _, idea in presets(name):
            columns = vectorised(idea, setting)
            assert columns is not None
            assert_same_trades(columns, replay(idea, setting))
            traded += len(columns.trades)
    assert traded > 100


def test_trading_may_begin_later_than_the_bars():
    bars = rough_bars(5, BARS)
    begins = datetime.fromtimestamp(int(bars.opened_ms[300]) / 1000, UTC)
    setting = Setting((market(bars, COSTS),), trades_from=begins)
    _, idea = next(presets("nadaraya_watson"))
    columns = vectorised(idea, setting)
    assert columns is not None
    assert columns.trades
    assert columns.trades[0].entered_ms >= bars.opened_ms[300]
    assert_same_trades(columns, replay(idea, setting))


def test_one_door_takes_columns_where_they_tell_and_the_replay_elsewhere():
    setting = Setting((market(rough_bars(3, 300), COSTS),))
    fast = dict(presets("consolidation_pop"))["fast"]
    assert backtest(fast, setting).engine == "vectorised"
    assert backtest(fast, setting, EngineName.REPLAY).engine == "replay"
    turtle = dict(presets("turtle_trend"))["fast"]
    assert backtest(turtle, setting).engine == "replay"
    with pytest.raises(InvalidValue, match="engine is 'vectorised'; allowed: replay for turtle_trend here"):
        backtest(turtle, setting, EngineName.VECTORISED)


def test_markets_that_compete_for_a_place_are_left_to_the_replay():
    setting = Setting(tuple(market(rough_bars(seed, 300), COSTS, asset) for seed, asset in ((1, "ETH"), (2, "BTC"))))
    pop = dict(presets("consolidation_pop"))["fast"]
    assert pop.parameters.max_positions == 1
    assert vectorised(pop, setting) is None
    assert backtest(pop, setting).engine == "replay"


def test_a_resting_entry_that_a_limit_cuts_by_much_is_left_to_the_replay():
    greedy = dict(presets("consolidation_pop"))["original"].parameters.model_copy(update={"weight": 0.5})
    setting = Setting((market(rough_bars(3, BARS, sigma=0.001), COSTS),))
    assert vectorised(loaded("consolidation_pop", greedy), setting) is None
    wide = Setting(setting.markets, limits={"asset_share": Decimal("0.9"), "max_order_notional": Decimal(10**9)})
    assert vectorised(loaded("consolidation_pop", greedy), wide) is not None


def test_many_parameter_sets_are_as_many_single_runs():
    setting = Setting((market(rough_bars(4, BARS), COSTS),))
    ideas = [idea for _, idea in presets("nadaraya_watson")]
    for idea, one in zip(ideas, run_many(ideas, setting), strict=True):
        alone = vectorised(idea, setting)
        assert one is not None
        assert alone is not None
        assert (one.trades, one.final) == (alone.trades, alone.final)


def test_a_rule_that_sizes_alike_at_every_tick_is_told_by_columns_and_any_other_is_left_to_the_replay():
    idea = dict(presets("consolidation_pop"))["fast"]
    markets = (market(rough_bars(11, BARS), COSTS),)
    setting = Setting(markets, leverage=Decimal(2), sizing=SizingRule(SizingMethod.FIXED_FRACTION, 0.5))
    columns, plain = vectorised(idea, setting), vectorised(idea, Setting(markets))
    assert columns is not None
    assert plain is not None
    assert_same_trades(columns, replay(idea, setting))
    assert columns.trades[0].quantity == pytest.approx(plain.trades[0].quantity / 2, rel=0.03)
    for rule in (SizingRule(SizingMethod.REALISED, 0.2), SizingRule(stops_at_drawdown=0.2)):
        assert vectorised(idea, Setting(markets, sizing=rule)) is None
    assert backtest(idea, Setting(markets, sizing=SizingRule(stops_at_drawdown=0.2))).engine == "replay"
