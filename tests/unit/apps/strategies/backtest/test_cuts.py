"""A part of a past is that part and no more."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest

from apps.strategies.backtest.costs import Costs, FundingRates
from apps.strategies.backtest.cuts import moved, opened_between, span, timeline, with_costs
from apps.strategies.backtest.data import RecordedBars, content_hash
from apps.strategies.backtest.results import DataSource
from apps.strategies.backtest.setting import Market, Setting
from moondev.domain.errors import InvalidValue
from moondev.domain.instruments import Instrument, PriceGrid
from moondev.domain.market_data import BarSeries
from moondev.domain.values import Money, Quantity

HOUR = 3_600_000


def market(symbol, first_hour=0, count=6):
    close = 100.0 + np.arange(count)
    stamps = (first_hour + np.arange(count)) * HOUR
    bars = BarSeries(timedelta(hours=1), stamps, close, close, close, close, close)
    instrument = Instrument(
        venue="test", symbol=symbol, asset=symbol, quote="USDT", price_grid=PriceGrid(Decimal("0.1")),
        lot=Quantity(Decimal("0.001")), min_notional=Money(Decimal(10), "USDT"),
    )  # fmt: skip
    costs = Costs(1, 2, funding=FundingRates(stamps + HOUR, np.full(count, 1e-5)))
    return Market(instrument, RecordedBars(bars, DataSource("by hand", content_hash(bars)), "USDT"), costs)


@pytest.fixture
def setting():
    return Setting((market("BTC"), market("ETH", first_hour=2)), trades_from=at(3))


def at(hour):
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(hours=hour)


def test_bars_are_cut_by_when_they_opened_in_every_market(setting):
    part = opened_between(setting, at(1), at(5))
    opened = [(one.recorded.bars.opened_ms // HOUR).tolist() for one in part.markets]
    assert opened == [[1, 2, 3, 4], [2, 3, 4]]
    assert part.markets[0].recorded.bars.close.tolist() == [101, 102, 103, 104]
    assert part.trades_from == at(3)
    assert (timeline(part) // HOUR).tolist() == [1, 2, 3, 4]
    assert (span(part), span(setting)) == (timedelta(hours=4), timedelta(hours=8))


def test_a_part_says_so_and_has_a_hash_of_its_own(setting):
    before, after = setting.markets[0].recorded, opened_between(setting, None, at(5)).markets[0].recorded
    assert after.source.content_hash == content_hash(after.bars) != before.source.content_hash
    assert after.source.description == "by hand; 1970-01-01 00:00 on, 5 bars"


def test_nothing_that_was_cut_off_can_be_reached_from_what_is_left(setting):
    bars = opened_between(setting, None, at(5)).markets[0].recorded.bars
    assert all(column.base is None for column in (bars.opened_ms, bars.open, bars.close, bars.volume))


def test_a_part_without_bars_is_refused_by_market(setting):
    with pytest.raises(InvalidValue, match=r"test:ETH is '1 bars from .* to 1970-01-01 03:00'") as refusal:
        opened_between(setting, at(0), at(3))
    assert refusal.value.allowed == "a part with 2 bars or more"


def test_costs_change_in_every_market(setting):
    free = with_costs(setting, lambda costs: Costs(0, 0))
    assert [one.costs for one in free.markets] == [Costs(0, 0)] * 2
    assert free.markets[0].recorded is setting.markets[0].recorded


def test_what_is_moved_keeps_its_prices_and_takes_its_funding_along(setting):
    later = moved(setting, timedelta(hours=10))
    assert later.trades_from == at(13)
    before, after = setting.markets[0], later.markets[0]
    assert (after.recorded.bars.opened_ms - before.recorded.bars.opened_ms == 10 * HOUR).all()
    assert after.recorded.bars.close is before.recorded.bars.close
    assert (after.costs.funding.times - before.costs.funding.times == 10 * HOUR).all()
