"""A backtest's setting is refused before anything is computed when its money could not be added up."""

from datetime import timedelta
from decimal import Decimal

import numpy as np
import pytest

from apps.strategies.backtest.costs import FREE
from apps.strategies.backtest.data import RecordedBars
from apps.strategies.backtest.results import DataSource
from apps.strategies.backtest.setting import Market, Setting
from moondev.domain.errors import InvalidValue
from moondev.domain.instruments import Instrument, PriceGrid
from moondev.domain.market_data import BarSeries
from moondev.domain.values import Money, Quantity


def market(symbol="BTC", quote="USDT", minutes=5):
    close = np.array([100.0, 101.0])
    bars = BarSeries(timedelta(minutes=minutes), np.arange(2) * minutes * 60_000, close, close, close, close, close)
    instrument = Instrument(
        venue="test", symbol=symbol, asset=symbol, quote=quote, price_grid=PriceGrid(Decimal("0.1")),
        lot=Quantity(Decimal("0.001")), min_notional=Money(Decimal(10), quote),
    )  # fmt: skip
    return Market(instrument, RecordedBars(bars, DataSource("by hand", "0"), quote), FREE)


def test_a_setting_knows_its_interval_and_its_instruments_by_key():
    setting = Setting((market("BTC"), market("ETH")))
    assert setting.interval == timedelta(minutes=5)
    assert [instrument.symbol for instrument in setting.instruments.values()] == ["BTC", "ETH"]


@pytest.mark.parametrize(
    ("markets", "field"),
    [
        ((), "markets"),
        ((market(), market()), "markets"),
        ((market("BTC"), market("ETH", minutes=15)), "markets"),
        ((market("BTC"), market("ETH", quote="USDC")), "quote"),
    ],
)
def test_markets_that_do_not_go_together_are_refused(markets, field):
    with pytest.raises(InvalidValue) as refusal:
        Setting(markets)
    assert field in refusal.value.field


@pytest.mark.parametrize("amount", [Decimal(0), Decimal(-1), Decimal("NaN"), Decimal("Infinity")])
def test_money_that_is_not_above_zero_is_refused(amount):
    with pytest.raises(InvalidValue):
        Setting((market(),), capital=amount)
    with pytest.raises(InvalidValue):
        Setting((market(),), leverage=amount)
