"""A request is refused when it could not be run, and travels as JSON."""

import json
from datetime import UTC, datetime

import pytest

from apps.strategies.backtest.requests.names import series_named
from apps.strategies.backtest.requests.request import BacktestRequest, request_of_json
from moondev.domain.errors import InvalidValue


def test_a_request_travels_as_json():
    request = BacktestRequest(
        "turtle_trend", {"n_bars": 20}, ("a.parquet", "lake:hyperliquid:BTC:5m"), "canonical",
        start=datetime(2025, 1, 1, tzinfo=UTC), maker_bps=1.5, strategy="turtle-btc", parameters_version=3,
    )  # fmt: skip
    assert request_of_json(json.loads(json.dumps(request.to_json()))) == request
    assert request.title == "turtle-btc, canonical"


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"data": []}, "data"),
        ({"rule": "close"}, "rule"),
        ({"engine": "fast"}, "engine"),
        ({"start": "2025-02-01", "end": "2025-01-01"}, "from"),
        ({"start": "yesterday"}, "start"),
        ({"leverage_x": 2}, "request"),
    ],
)
def test_what_could_not_be_run_is_refused_by_name(changed, field):
    stored = {"kind": "turtle_trend", "parameters": {}, "data": ["a.parquet"], **changed}
    with pytest.raises(InvalidValue) as refused:
        request_of_json(stored)
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("text", "venue", "symbol", "asset", "quote"),
    [
        ("ohlcv/binance-usdm_BTCUSDT_15m_202301-202405.parquet", "binance-usdm", "BTCUSDT", "BTC", "USDT"),
        ("okx-swap_ETH-USDT-SWAP_1h_202301-202506.parquet", "okx-swap", "ETH-USDT-SWAP", "ETH", "USDT"),
        ("hyperliquid-perp_DYDXUSDC_5m.feather", "hyperliquid-perp", "DYDXUSDC", "DYDX", "USDC"),
        ("lake:bybit:SOLUSDT:1h", "bybit", "SOLUSDT", "SOL", "USDT"),
        ("lake:hyperliquid:BTC:5m", "hyperliquid", "BTC", "BTC", ""),
        ("mine.csv", "file", "mine", "MINE", ""),
    ],
)
def test_a_name_tells_venue_instrument_and_currency(text, venue, symbol, asset, quote):
    name = series_named(text)
    assert (name.venue, name.symbol, name.asset, name.quote) == (venue, symbol, asset, quote)


def test_a_lake_name_of_another_form_is_refused():
    with pytest.raises(InvalidValue, match="lake:VENUE:SYMBOL:INTERVAL"):
        series_named("lake:hyperliquid")
