"""``manage.py data`` against the mock exchange: bring, bring again, mend, list, check."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from django.core.management import CommandError, call_command
from sqlalchemy import text

from apps.exchanges.market_data.history.lake import Lake
from apps.exchanges.market_data.history.series import SCHEMAS, Kind, SeriesKey
from apps.exchanges.market_data.history.store import HistoryStore, open_store
from apps.exchanges.mock.market import MarketOptions, open_market
from apps.exchanges.mock.threaded import ThreadedMock, mock_in_thread
from apps.exchanges.models import Venue
from apps.exchanges.registry import market_data_for
from moondev.domain.clock import LiveClock, from_milliseconds, milliseconds

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]

MINUTE = timedelta(minutes=1)
BTC = SeriesKey("hyperliquid", Kind.CANDLES, "BTC", MINUTE)
EVER = (datetime(2000, 1, 1, tzinfo=UTC), datetime(2099, 1, 1, tzinfo=UTC))


@pytest.fixture(scope="module")
def mock() -> Iterator[ThreadedMock]:
    exchange, clock = open_market(MarketOptions(coins=("BTC", "ETH")))
    with mock_in_thread(exchange, clock) as served:
        yield served


@pytest.fixture
def venue(mock: ThreadedMock, transactional_db) -> Venue:
    url = mock.hyperliquid_url
    return Venue.objects.create(
        code="hyperliquid",
        protocol="hyperliquid",
        environment="paper",
        rest_url=url,
        websocket_url=url.replace("http", "ws", 1) + "/ws",
    )


@pytest.fixture
def store(transactional_db) -> Iterator[HistoryStore]:
    with open_store() as opened:
        truncate(opened)
        yield opened
        truncate(opened)


@pytest.fixture
def lake(tmp_path: Path, settings) -> Lake:
    settings.MOONDEV_LAKE_DIR = tmp_path / "lake"
    return Lake(tmp_path / "lake")


def truncate(store: HistoryStore) -> None:
    with store.transaction() as connection:
        connection.execute(text("TRUNCATE exchanges_series, exchanges_candle, exchanges_trade, exchanges_funding_rate"))


def data(*arguments: str) -> str:
    out = io.StringIO()
    call_command("data", *arguments, stdout=out)
    return out.getvalue()


def download(*arguments: str) -> str:
    return data("download", "--venue", "hyperliquid", "--symbol", "BTC", "--from", "2h", *arguments)


def own_candles(venue: Venue, opened: np.ndarray) -> pa.Table:
    """Return the venue's own bars at these open times."""
    start, end = (from_milliseconds(int(opened[place])) for place in (0, -1))
    client = market_data_for(venue.to_config())
    bars = client.candles("BTC", MINUTE, start, end)
    client.close()
    columns = (bars.opened_ms, bars.open, bars.high, bars.low, bars.close, bars.volume)
    return pa.table([pa.array(values) for values in columns], schema=SCHEMAS[Kind.CANDLES])


def test_candles_are_the_venues_own_and_a_second_run_changes_nothing(venue: Venue, lake: Lake, store: HistoryStore):
    said = download()
    rows = lake.read(BTC, *EVER)
    assert 118 <= len(rows) <= 120
    assert f"{len(rows):,}" in said
    assert "none" in said
    assert store.read(BTC, *EVER).equals(rows)
    assert own_candles(venue, rows.column("ts").to_numpy()).equals(rows)
    files = sorted(path for path in lake.root.rglob("*.parquet"))
    stopped_at = from_milliseconds(int(rows.column("ts")[-1].as_py()) + 60_000).isoformat()
    download("--to", stopped_at)
    assert sorted(path for path in lake.root.rglob("*.parquet")) == files


def test_what_one_place_lacks_comes_from_the_other_and_only_the_rest_from_the_venue(
    venue: Venue, lake: Lake, store: HistoryStore
):
    download("--in", "lake")
    assert store.read(BTC, *EVER).num_rows == 0
    whole = lake.read(BTC, *EVER)
    end = from_milliseconds(int(whole.column("ts")[-1].as_py()) + 60_000).isoformat()
    assert " 0 " in download("--to", end)
    assert store.read(BTC, *EVER).equals(whole)
    with store.transaction() as connection:
        connection.execute(text("DELETE FROM exchanges_candle WHERE at < now() - interval '1 hour'"))
    for path in lake.root.rglob("*.parquet"):
        path.unlink()
    said = download("--to", end)
    assert lake.read(BTC, *EVER).equals(whole)
    came = int(said.split("BTC candles 1m")[1].split()[0])
    assert 0 < came < len(whole)


def test_funding_is_asked_for_once_and_again_when_told_to(venue: Venue, lake: Lake, store: HistoryStore):
    funding = ("download", "--venue", "hyperliquid", "--symbol", "BTC", "ETH", "--kind", "funding", "--from", "1d")
    end = ("--to", (LiveClock().now() - timedelta(minutes=5)).isoformat())
    data(*funding, *end)
    key = SeriesKey("hyperliquid", Kind.FUNDING, "BTC")
    rows = lake.read(key, *EVER)
    assert store.read(key, *EVER).equals(rows)
    covered = lake.covered(key).spans
    assert len(covered) == 1
    assert covered[0][1] == milliseconds(datetime.fromisoformat(end[1]))
    assert data(*funding, *end) == data(*funding, *end)
    data(*funding, *end, "--again")
    assert lake.read(key, *EVER).equals(rows)


def test_what_is_kept_is_listed_and_checked(venue: Venue, lake: Lake, store: HistoryStore):
    assert "nothing is kept" in data("list")
    download("--symbol", "BTC", "ETH")
    listed = data("list")
    assert listed.count("candles 1m") == 4
    assert data("list", "--in", "lake", "--symbol", "ETH").count("candles 1m") == 1
    assert "4 checked, 0 with findings" in data("check")
    with store.transaction() as connection:
        connection.execute(text("DELETE FROM exchanges_candle WHERE extract(minute FROM at)::int % 20 = 7"))
    with pytest.raises(CommandError, match="severity warning") as refused:
        data("check", "--in", "store", "--symbol", "BTC")
    assert refused.value.returncode == 1
    assert "bars)" in data("list", "--in", "store")
    assert "GAP" in data("check", "--in", "store", "--fail-on", "error")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--kind", "trades"), "tells no past trades"),
        (("--symbol", "NOPE"), "symbol is 'NOPE'; allowed: what hyperliquid lists: BTC, ETH"),
        (("--interval", "1y"), "interval is '1y'"),
        (("--interval", "7m"), "hyperliquid BTC candles 7m: interval"),
        (("--kind", "books"), "kind is 'books'; allowed: candles, trades, funding"),
        (("--from", "yesterday"), "from is 'yesterday'; allowed: 2025-01-31"),
        (("--to", "3h"), "a start before its end"),
        (("--venue", "mtgox"), "venue is 'mtgox'; allowed: hyperliquid"),
    ],
)
def test_a_wrong_word_is_answered_with_what_is_allowed(venue: Venue, lake: Lake, store: HistoryStore, arguments, says):
    with pytest.raises(CommandError) as refused:
        download(*arguments)
    assert says in str(refused.value)


def test_what_happens_now_is_recorded_and_passes_the_checks(venue: Venue, lake: Lake, store: HistoryStore):
    said = data("record", "--venue", "hyperliquid", "--symbol", "BTC", "--for", "4")
    assert "rows written" in said
    assert "waiting" not in said
    kinds = {key.kind: lake.read(key, *EVER) for key in lake.series()}
    assert set(kinds) == {Kind.BOOKS, Kind.TRADES, Kind.MARKS, Kind.CANDLES}
    assert all(len(rows) for rows in kinds.values())
    assert store.read(SeriesKey("hyperliquid", Kind.TRADES, "BTC"), *EVER).equals(kinds[Kind.TRADES])
    # What was missed before the recording began came from the venue's history.
    bars = store.read(BTC, *EVER)
    assert len(bars) >= 55
    assert bars.equals(own_candles(venue, bars.column("ts").to_numpy()))
    assert "6 checked, 0 with findings" in data("check")
