from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from apps.exchanges.market_data.bars import Bar
from apps.exchanges.market_data.history.keeper import table_of_closed
from apps.exchanges.market_data.history.lake import Lake
from apps.exchanges.market_data.history.live import RECORDED, LiveRows
from apps.exchanges.market_data.history.quality.checks import check
from apps.exchanges.market_data.history.quality.files import read_dataset
from apps.exchanges.market_data.history.quality.findings import Code
from apps.exchanges.market_data.history.quality.stored import stored_dataset
from apps.exchanges.market_data.history.series import SCHEMAS, Kind, SeriesKey, tidy
from apps.exchanges.market_data.history.sink import Sink
from apps.exchanges.ports import BookUpdate, CandleUpdate, Connected, Disconnected, MarkUpdate, TradeBatch
from moondev.domain.errors import Connectivity, InvalidValue
from moondev.domain.market_data import Book, BookLevel, TradeTick
from moondev.domain.values import Side

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
NOON_MS = 1_772_366_400_000
EVER = (datetime(2000, 1, 1, tzinfo=UTC), datetime(2099, 1, 1, tzinfo=UTC))
BOOKS, MARKS, TRADES = (SeriesKey("v", kind, "BTC") for kind in (Kind.BOOKS, Kind.MARKS, Kind.TRADES))


class Heard:
    """Live rows, and what they told of bars."""

    def __init__(self, *kinds: Kind) -> None:
        self.bars: list[Bar] = []
        self.gaps: list[str] = []
        self.rows = LiveRows(
            "v", ["BTC"], [MINUTE], kinds or RECORDED, lambda _s, _i, bars: self.bars.extend(bars),
            lambda symbol, _interval: self.gaps.append(symbol),
        )  # fmt: skip


def book(at: datetime, *sizes: float, lag: timedelta = SECOND) -> BookUpdate:
    bids = tuple(BookLevel(99.0 - step, size) for step, size in enumerate(sizes))
    return BookUpdate("BTC", Book(bids, (BookLevel(100.0, 1.0),), at, at + lag))


def trade(number: int, price: float = 100.0) -> TradeTick:
    return TradeTick("BTC", str(number), Side.SELL, price, 0.5, NOW, NOW)


def candle(minute: int, close: float = 100.0) -> CandleUpdate:
    return CandleUpdate("BTC", MINUTE, NOON_MS + minute * 60_000, 100.0, 101.0, 99.0, close, 1.0, False, NOW)


def test_everything_heard_becomes_rows_of_its_series():
    heard = Heard()
    for event in (
        book(NOW, 1.0, 2.0),
        TradeBatch("BTC", (trade(1), trade(2))),
        MarkUpdate("BTC", 99.5, 99.4, 1e-5, NOW),
    ):
        heard.rows.take(event)
    drained = heard.rows.drain()
    assert drained[BOOKS].to_pylist() == [
        {
            "ts": NOON_MS, "received_ms": NOON_MS + 1_000, "bid_prices": [99.0, 98.0], "bid_sizes": [1.0, 2.0],
            "ask_prices": [100.0], "ask_sizes": [1.0],
        }
    ]  # fmt: skip
    assert drained[TRADES].column("trade_id").to_pylist() == ["1", "2"]
    assert drained[TRADES].column("side").to_pylist() == [-1, -1]
    assert drained[MARKS].to_pylist() == [{"ts": NOON_MS, "mark": 99.5, "oracle": 99.4, "funding": 1e-5}]
    assert heard.rows.drain() == {}
    assert heard.rows.counts == {Kind.BOOKS: 1, Kind.TRADES: 2, Kind.MARKS: 1, Kind.CANDLES: 0}


def test_what_is_not_recorded_is_let_go():
    heard = Heard(Kind.TRADES)
    heard.rows.take(book(NOW, 1.0))
    heard.rows.take(MarkUpdate("BTC", 99.5, 99.4, 1e-5, NOW))
    assert heard.rows.drain() == {}


def test_bars_close_once_and_a_break_is_for_the_venue_to_settle():
    heard = Heard()
    for event in (candle(0), candle(1), Disconnected("cut", NOW), Connected(NOW, NOW), candle(2)):
        heard.rows.take(event)
    assert [bar.opened_ms for bar in heard.bars] == [NOON_MS]
    assert heard.gaps == ["BTC", "BTC"]
    heard.rows.close_due(NOW + 3 * MINUTE + 2 * SECOND)
    assert [bar.opened_ms for bar in heard.bars] == [NOON_MS, NOON_MS + 120_000]


def test_a_bar_off_the_grid_is_refused_and_counted():
    heard = Heard()
    heard.rows.take(CandleUpdate("BTC", MINUTE, NOON_MS + 5, 1.0, 1.0, 1.0, 1.0, 1.0, False, NOW))
    assert heard.rows.refused == 1


def test_books_go_into_the_lake_and_come_back_also_through_a_file_check(tmp_path: Path):
    heard, lake = Heard(), Lake(tmp_path)
    for number, sizes in enumerate([(1.0, 2.0, 3.0), (1.0,), ()]):
        heard.rows.take(book(NOW + number * SECOND, *sizes))
    rows = heard.rows.drain()[BOOKS]
    lake.write(BOOKS, rows)
    assert lake.read(BOOKS, *EVER).equals(rows)
    assert check(stored_dataset(BOOKS, rows, "lake")) == []
    (path,) = tmp_path.rglob("*.parquet")
    assert check(read_dataset(path)) == []


def test_bad_books_are_found_by_the_checks_and_worse_ones_never_stored(tmp_path: Path):
    heard = Heard()
    for number in range(3):
        heard.rows.take(book(NOW + number * SECOND, 1.0, 2.0, lag=-3 * SECOND))
    rows = heard.rows.drain()[BOOKS]
    late = rows.set_column(2, "bid_prices", pa.array([[98.0, 99.0]] * 3))
    codes = {finding.code for finding in check(stored_dataset(BOOKS, late, "lake"))}
    assert codes == {Code.LADDER, Code.CLOCK_SKEW}
    for column, values, match in (
        ("bid_prices", [[99.0, -1.0]] * 3, "prices above 0"),
        ("bid_sizes", [[1.0]] * 3, "as many of either"),
        ("ask_prices", [[float("nan")]] * 3, "prices above 0"),
    ):
        broken = rows.set_column(rows.column_names.index(column), column, pa.array(values))
        with pytest.raises(InvalidValue, match=match):
            Lake(tmp_path).write(BOOKS, broken)


def test_a_book_of_the_same_moment_is_kept_once_per_receipt():
    heard = Heard()
    for lag in (SECOND, SECOND, 2 * SECOND):
        heard.rows.take(book(NOW, 1.0, lag=lag))
    assert len(tidy(Kind.BOOKS, heard.rows.drain()[BOOKS])) == 2


class AwayStore:
    """A database that takes nothing while it is away."""

    def __init__(self) -> None:
        self.away, self.rows = True, 0

    def write_many(self, batch: dict[SeriesKey, pa.Table]) -> int:
        if self.away:
            raise Connectivity("away")
        self.rows += sum(map(len, batch.values()))
        return self.rows


def test_a_database_that_is_away_holds_up_no_row_of_the_lake(tmp_path: Path):
    lake, store = Lake(tmp_path), AwayStore()
    sink = Sink(lake, store)  # type: ignore[arg-type]
    key = SeriesKey("v", Kind.CANDLES, "BTC", MINUTE)
    for minute in range(3):
        sink.put(key, table_of_closed([Bar(NOON_MS + minute * 60_000, 1.0, 1.0, 1.0, 1.0, 1.0)]))
        sink.put(MARKS, pa.table([[NOON_MS + minute], [1.0], [1.0], [0.0]], schema=SCHEMAS[Kind.MARKS]))
        with pytest.raises(Connectivity):
            sink.flush()
        assert len(lake.read(key, *EVER)) == len(lake.read(MARKS, *EVER)) == minute + 1
    store.away = False
    assert sink.flush() == 0
    # Marks are for the lake alone.
    assert store.rows == 3
    assert sink.waiting == 0
    assert len(list(tmp_path.rglob("*.parquet"))) == 6
