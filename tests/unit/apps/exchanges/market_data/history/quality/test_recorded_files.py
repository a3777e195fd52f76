"""The rules against recorded data: every file known to be dirty is told so, for its own reason; no clean one is."""

from pathlib import Path

import pytest

from apps.exchanges.market_data.history.quality.checks import check
from apps.exchanges.market_data.history.quality.files import read_dataset
from apps.exchanges.market_data.history.quality.findings import Code, Finding

RECORDED = Path(__file__).resolve().parents[8] / "shared" / "data"
pytestmark = pytest.mark.skipif(not RECORDED.is_dir(), reason="needs the recorded data in ../shared/data")

MISLABELLED = "ohlcv/coinbase-spot_BTCUSD_MISLABELLED_1d_201507-202504"
SHIFTED = "ohlcv/hyperliquid-perp_BTC_moondev_15m_202502-202504"
US_USDC, US_USDT = (f"ohlcv/binanceus-spot_BTC{quote}_1m_202303-202303" for quote in ("USDC", "USDT"))
FUTURES_EVENTS = "l2/binance_usdm_BTCUSDT_20240808"
# What is known of each file that is not clean, as its manifest tells it.
KNOWN = {
    MISLABELLED: {Code.ORDER, Code.MISLABELLED},
    SHIFTED: {Code.OFF_GRID},
    US_USDC: {Code.STALE},
    US_USDT: {Code.STALE},
    FUTURES_EVENTS: {Code.CLOCK_SKEW},
    "ohlcv/binance-coinm_BTCUSD_1m_202212-202212": {Code.GAP},
    "ohlcv/binance-spot_BTCUSDT_daru_1h_202401-202402": {Code.NO_VOLUME},
    "ohlcv/binance-spot_ETHUSDT_daru_1h_202401-202402": {Code.NO_VOLUME},
    # Markets that close for the night or the weekend.
    "ohlcv/oracle-equity_GOOG_1d_200408-201303": {Code.GAP},
    "ohlcv/oracle-fx_EURUSD_1h_201704-201802": {Code.GAP},
    # Paid every eight hours at first, and a few payments booked minutes late.
    **{
        f"funding/hyperliquid-perp_{coin}USDC_202305-202507": {Code.GAP, Code.OFF_GRID}
        for coin in ("BTC", "ETH", "SOL")
    },
}
NAMES = sorted(path.relative_to(RECORDED).with_suffix("").as_posix() for path in RECORDED.rglob("*.parquet"))


def findings(name: str, against: str | None = None) -> dict[Code, Finding]:
    reference = None if against is None else read_dataset(RECORDED / f"{against}.parquet")
    return {finding.code: finding for finding in check(read_dataset(RECORDED / f"{name}.parquet"), reference)}


@pytest.mark.parametrize("name", NAMES)
def test_a_file_has_the_faults_it_is_known_for_and_no_other(name):
    assert set(findings(name)) == KNOWN.get(name, set())


def test_columns_under_each_others_names_are_told_apart():
    finding = findings(MISLABELLED)[Code.MISLABELLED]
    assert finding.count == 3525
    assert finding.repair == "rename: open -> low, low -> open"
    assert finding.evidence[0].startswith("row ")


def test_stamps_of_another_time_zone_are_found_by_holding_them_against_another_series():
    found = findings(SHIFTED, "ohlcv/hyperliquid-perp_BTCUSDC_15m_202502-202507")
    assert "537.52 s" in found[Code.OFF_GRID].message
    assert "4 h late" in found[Code.TIME_SHIFT].message
    assert found[Code.TIME_SHIFT].repair == "subtract 14400000 ms"


def test_another_quote_currency_shows_in_name_and_in_price():
    found = check(read_dataset(RECORDED / f"{US_USDC}.parquet"), read_dataset(RECORDED / f"{US_USDT}.parquet"))
    quotes = [finding for finding in found if finding.code is Code.QUOTE]
    assert "quoted in USDC" in quotes[0].message
    assert quotes[1].count > 10_000


def test_closes_without_trades_are_counted():
    assert findings(US_USDC)[Code.STALE].count == 12_971


def test_a_recorder_behind_the_exchange_is_measured():
    assert "1268 ms" in findings(FUTURES_EVENTS)[Code.CLOCK_SKEW].message


@pytest.mark.parametrize(
    ("name", "against"),
    [
        ("okx-swap_BTC-USDT-SWAP_1h_202301-202506", "binance-usdm_BTCUSDT_1h_202301-202405"),
        ("okx-swap_ETH-USDT-SWAP_1h_202301-202506", "binance-usdm_ETHUSDT_1h_202301-202405"),
    ],
)
def test_two_venues_of_one_coin_have_nothing_to_say_against_each_other(name, against):
    assert findings(f"ohlcv/{name}", f"ohlcv/{against}") == {}
