"""A request becomes markets with bars, rules and costs, or says what is wrong before anything is computed."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
import pyarrow.parquet as pq
import pytest

from apps.exchanges.market_data.history.series import table_of_bars
from apps.exchanges.models import InstrumentRow, Venue
from apps.strategies.backtest.fills import FillRule
from apps.strategies.backtest.requests.names import series_named
from apps.strategies.backtest.requests.request import BacktestRequest
from apps.strategies.backtest.requests.rules import guessed_rules
from apps.strategies.backtest.requests.setting import prepare
from apps.strategies.backtest.shelf import Holds, funding_beside, names_on_shelf, require_on_shelf
from apps.strategies.registry import preset
from moondev.domain.errors import Configuration, InvalidValue
from tests.unit.apps.strategies.backtest.runs import walk

pytestmark = pytest.mark.django_db
BTC = "bybit-linear_BTCUSDT_1h.parquet"
ETH = "bybit-linear_ETHUSDT_1h.parquet"


def request(*data, **changed):
    values = preset("nadaraya_watson", "canonical").model_dump(mode="json")
    return BacktestRequest("nadaraya_watson", values, data or (BTC,), "canonical", **changed)


def test_fees_of_the_lowest_tier_are_on_and_rules_are_guessed_for_an_unknown_instrument(folder):
    prepared = prepare(request(BTC, funding=("funding/bybit-linear_BTCUSDT.parquet",)), folder)
    (market,) = prepared.setting.markets
    assert market.key == "bybit-linear:BTCUSDT"
    assert (market.costs.maker_bps, market.costs.taker_bps) == (2.0, 5.5)
    assert len(market.costs.funding.rates) == 75
    assert prepared.origin.fees_from == {market.key: "the venue's lowest tier"}
    assert prepared.origin.rules_from == {market.key: "guessed from the data"}
    assert prepared.setting.rule is FillRule.NEXT_OPEN


def test_a_known_instrument_brings_its_venues_rules_and_fees(folder):
    venue = Venue.objects.create(
        code="bybit", protocol="bybit", environment="paper", rest_url="http://localhost:1/", websocket_url="ws://x",
        maker_fee_bps=Decimal(1), taker_fee_bps=Decimal(3),
    )  # fmt: skip
    InstrumentRow.objects.create(
        venue=venue, symbol="BTCUSDT", asset="BTC", quote="USDT", tick=Decimal("0.5"), lot=Decimal("0.01")
    )
    prepared = prepare(request(taker_bps=4.0), folder)
    (market,) = prepared.setting.markets
    assert market.key == "bybit:BTCUSDT"
    assert market.instrument.price_grid.tick == Decimal("0.5")
    assert (market.costs.maker_bps, market.costs.taker_bps) == (1.0, 4.0)
    assert prepared.origin.fees_from == {market.key: "venue bybit, one as asked"}
    assert prepared.origin.rules_from == {market.key: "the venue's own"}


def test_what_is_asked_for_reaches_the_setting(folder):
    start = datetime(2023, 1, 10, tzinfo=UTC)
    end = datetime(2023, 1, 20, tzinfo=UTC)
    asked = request(BTC, ETH, rule="bar-close", capital=5_000.0, leverage=2.0, start=start, end=end, spread_bps=3.0)
    setting = prepare(asked, folder).setting
    assert (setting.rule, setting.capital, setting.leverage) == (FillRule.BAR_CLOSE, 5_000, 2)
    assert setting.trades_from == start
    assert [len(market.recorded.bars) for market in setting.markets] == [19 * 24, 19 * 24]
    assert setting.markets[0].costs.spread_bps == 3.0


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"data": ("nothing.parquet",)}, "nothing.parquet"),
        ({"data": (BTC, BTC)}, "each instrument once"),
        ({"kind": "martingale"}, "allowed: market_maker"),
        ({"parameters": {"bandwidth_bars": -1}}, "bandwidth_bars is -1"),
        ({"funding": ("funding/bybit-linear_BTCUSDT.parquet",), "data": (ETH,)}, "among --data"),
        ({"start": datetime(2024, 1, 1, tzinfo=UTC)}, "a time within"),
        ({"end": datetime(2022, 1, 1, tzinfo=UTC)}, "0 bars"),
    ],
)
def test_what_is_wrong_is_named(folder, changed, words):
    with pytest.raises((InvalidValue, Configuration), match=words):
        prepare(replace(request(), **changed), folder)


def test_a_venue_whose_fees_nobody_knows_is_refused_until_they_are_given(folder):
    (folder / BTC).rename(folder / "bourse_BTCUSDT_1h.parquet")
    with pytest.raises(InvalidValue, match=r"fees at is 'bourse'.*--maker-bps and --taker-bps"):
        prepare(request("bourse_BTCUSDT_1h.parquet"), folder)
    prepared = prepare(request("bourse_BTCUSDT_1h.parquet", maker_bps=0.0, taker_bps=2.0), folder)
    assert prepared.setting.markets[0].costs.taker_bps == 2.0


def test_data_that_fail_the_checks_are_refused_with_what_and_where(folder):
    table = table_of_bars(walk(100))
    close = table.column("close").to_numpy().copy()
    close[40] = np.nan
    broken = table.set_column(4, "close", [close])
    pq.write_table(broken, folder / "bybit-linear_SOLUSDT_1h.parquet")
    with pytest.raises(InvalidValue, match=r"bybit-linear_SOLUSDT_1h\.parquet") as refused:
        prepare(request("bybit-linear_SOLUSDT_1h.parquet"), folder)
    assert "close" in str(refused.value)


def test_guessed_rules_fit_the_prices():
    bars = walk(50)
    rounded = replace(bars, **{name: np.round(getattr(bars, name), 2) for name in ("open", "high", "low", "close")})
    rules = guessed_rules(series_named("x_BTCUSDT"), rounded)
    assert rules.instrument.price_grid.tick == Decimal("0.01")
    assert Decimal("0.001") <= rules.instrument.lot.value <= Decimal("0.01")
    assert "no currency" in guessed_rules(series_named("mine.csv"), rounded).source


def test_the_shelf_lists_bars_and_funding_and_nothing_else(folder, settings):
    settings.MOONDEV_DATA_DIR = folder
    assert names_on_shelf(Holds.BARS) == [BTC, ETH]
    assert names_on_shelf(Holds.FUNDING) == ["funding/bybit-linear_BTCUSDT.parquet"]
    assert funding_beside([ETH, BTC]) == ("funding/bybit-linear_BTCUSDT.parquet",)
    assert funding_beside([ETH]) == ()


@pytest.mark.parametrize("name", ["../secret.parquet", "/etc/passwd", "absent.parquet", "funding"])
def test_a_request_is_no_way_to_read_other_files(folder, settings, name):
    settings.MOONDEV_DATA_DIR = folder
    (folder.parent / "secret.parquet").write_bytes((folder / BTC).read_bytes())
    with pytest.raises(InvalidValue, match="MOONDEV_DATA_DIR"):
        require_on_shelf(request(name))
    require_on_shelf(request(BTC))
