"""Venues cut their answers short in every way they like; in the end nothing lacks and nothing is asked for twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from apps.exchanges.history_ports import FundingRate
from apps.exchanges.market_data.history.download import Downloader
from apps.exchanges.market_data.history.fetch import Span, fetch, settle
from apps.exchanges.market_data.history.lake import Lake
from apps.exchanges.market_data.history.series import Kind, SeriesKey, bars_of_table, empty, stamps
from apps.exchanges.market_data.history.sink import Sink
from moondev.domain.clock import FixedClock, from_milliseconds, milliseconds
from moondev.domain.errors import Configuration, Connectivity, InvalidValue, Invariant, RateLimited
from moondev.domain.market_data import BarSeries, TradeTick
from moondev.domain.values import Side

MINUTE = timedelta(minutes=1)
NOW = datetime(2026, 3, 2, 0, 0, 30, tzinfo=UTC)
START = datetime(2026, 3, 1, 12, tzinfo=UTC)
BTC = SeriesKey("somewhere", Kind.CANDLES, "BTC", MINUTE)
TICKS = SeriesKey("somewhere", Kind.TRADES, "BTC")
FUNDING = SeriesKey("somewhere", Kind.FUNDING, "BTC")


class Venue:
    """Has a bar a minute, a trade every 20 s and a rate an hour; gives at most `page` of them, from either end."""

    def __init__(self, page: int = 100, *, newest: bool = False) -> None:
        self.page, self.newest = page, newest
        self.asked: list[tuple[datetime, datetime]] = []
        self.moods: list[Exception] = []
        self.close = 100.0

    def candles(self, _symbol: str, interval: timedelta, start: datetime, end: datetime) -> BarSeries:
        opened = self._given(start, end, 60_000)
        close = np.full(len(opened), self.close)
        return BarSeries(interval, opened, close, close, close, close, close)

    def trades(self, symbol: str, start: datetime, end: datetime) -> list[TradeTick]:
        times = [from_milliseconds(int(at)) for at in self._given(start, end, 20_000)]
        return [TradeTick(symbol, str(milliseconds(at)), Side.BUY, 100.0, 1.0, at, at) for at in times]

    def funding_history(self, _symbol: str, start: datetime, end: datetime) -> list[FundingRate]:
        return [FundingRate(from_milliseconds(int(at)), 1e-5) for at in self._given(start, end, 3_600_000)]

    def _given(self, start: datetime, end: datetime, step: int) -> np.ndarray:
        self.asked.append((start, end))
        if self.moods:
            raise self.moods.pop()
        first = -(-milliseconds(start) // step) * step
        found = np.arange(first, min(milliseconds(end), milliseconds(NOW)) + 1, step, dtype=np.int64)
        return found[-self.page :] if self.newest else found[: self.page]


class OneMomentOnly(Venue):
    """More trades in one millisecond than a page holds."""

    def trades(self, symbol: str, start: datetime, end: datetime) -> list[TradeTick]:
        return [TradeTick(symbol, str(n), Side.BUY, 1.0, 1.0, START, START) for n in range(self.page)]


def downloader(venue: object, folder: Path) -> Downloader:
    return Downloader(venue, Sink(Lake(folder), None), FixedClock(NOW), sleep=lambda _: None)  # type: ignore[arg-type]


@pytest.mark.parametrize("newest", [False, True])
@pytest.mark.parametrize("page", [3, 100, 5_000])
def test_every_closed_bar_comes_whatever_end_of_an_answer_is_cut(tmp_path, page, newest):
    venue = Venue(page, newest=newest)
    found = fetch(BTC, Span(START, START + timedelta(hours=2)), downloader(venue, tmp_path))
    assert (found.came, found.rows, found.gaps) == (120, 120, ())
    asked = len(venue.asked)
    again = fetch(BTC, Span(START, START + timedelta(hours=2)), downloader(venue, tmp_path))
    assert (again.came, again.rows) == (0, 120)
    assert len(venue.asked) == asked


def test_the_bar_that_forms_is_left_and_only_gaps_are_asked_for(tmp_path):
    venue = Venue()
    fetch(BTC, Span(NOW - timedelta(minutes=10), NOW), downloader(venue, tmp_path))
    fetch(BTC, Span(NOW - timedelta(minutes=40), NOW - timedelta(minutes=30)), downloader(venue, tmp_path))
    venue.asked.clear()
    found = fetch(BTC, Span(NOW - timedelta(minutes=40), NOW + timedelta(days=1)), downloader(venue, tmp_path))
    assert found.gaps == ()
    assert len(venue.asked) == 1
    assert max(stamps(Lake(tmp_path).read(BTC, START, NOW))) == milliseconds(NOW) // 60_000 * 60_000 - 60_000


def test_a_venue_that_is_slow_to_answer_is_asked_again_and_one_that_never_does_is_given_up(tmp_path):
    venue = Venue()
    venue.moods = [Connectivity("away"), RateLimited("slow down", retry_after_seconds=1.0)]
    assert fetch(BTC, Span(START, START + timedelta(minutes=5)), downloader(venue, tmp_path)).came == 5
    venue.moods = [Connectivity("away")] * 20
    with pytest.raises(Connectivity):
        fetch(BTC, Span(START, START + timedelta(hours=1)), downloader(venue, tmp_path))
    venue.moods = []
    assert fetch(BTC, Span(START, START + timedelta(hours=1)), downloader(venue, tmp_path)).came == 55


def test_trades_come_page_by_page_and_a_span_that_was_asked_for_is_not_asked_for_again(tmp_path):
    venue, day = Venue(), Span(START, START + timedelta(hours=3))
    assert fetch(TICKS, day, downloader(venue, tmp_path)).rows == 540
    venue.asked.clear()
    assert fetch(TICKS, day, downloader(venue, tmp_path)).came == 0
    assert venue.asked == []
    wider = Span(START - timedelta(hours=1), START + timedelta(hours=4))
    assert fetch(TICKS, wider, downloader(venue, tmp_path)).rows == 900
    assert all(not START < start < START + timedelta(hours=3) for start, _ in venue.asked)
    assert fetch(TICKS, day, downloader(venue, tmp_path), again=True).came >= 540
    assert len(Lake(tmp_path).read(TICKS, START, NOW)) == 720


def test_the_last_minute_is_asked_for_again_because_venues_tell_it_late(tmp_path):
    fetch(TICKS, Span(NOW - timedelta(minutes=10), NOW), downloader(Venue(), tmp_path))
    assert Lake(tmp_path).covered(TICKS).spans[-1][1] == milliseconds(NOW - MINUTE)


def test_more_of_one_moment_than_a_page_holds_is_an_error_not_a_loss(tmp_path):
    with pytest.raises(Invariant, match="cannot read on"):
        fetch(TICKS, Span(START, START + MINUTE), downloader(OneMomentOnly(), tmp_path))


def test_funding_has_its_own_pages(tmp_path):
    assert fetch(FUNDING, Span(START - timedelta(days=40), NOW), downloader(Venue(), tmp_path)).rows == 973


@pytest.mark.parametrize("key", [TICKS, FUNDING])
def test_what_a_venue_does_not_tell_is_said_so(tmp_path, key):
    with pytest.raises(Configuration, match="somewhere tells no past"):
        fetch(key, Span(START, NOW), downloader(object(), tmp_path))


def test_an_answer_that_cannot_have_happened_is_named_and_not_kept(tmp_path):
    venue = Venue()
    venue.close = float("inf")
    with pytest.raises(InvalidValue, match="BTC candles 1m, row 0"):
        fetch(BTC, Span(START, START + MINUTE * 5), downloader(venue, tmp_path))
    assert len(Lake(tmp_path).read(BTC, START, NOW)) == 0


def test_settling_writes_only_what_lacks_or_differs(tmp_path):
    venue, span, lake = Venue(), Span(START, START + timedelta(minutes=9)), Lake(tmp_path)
    fetch(BTC, Span(START, START + timedelta(minutes=6)), downloader(venue, tmp_path))
    assert settle(BTC, span, downloader(venue, tmp_path)) == 3
    assert settle(BTC, span, downloader(venue, tmp_path)) == 0
    venue.close = 101.0
    assert settle(BTC, span, downloader(venue, tmp_path)) == 9
    bars = bars_of_table(lake.read(BTC, START, NOW), MINUTE)
    assert set(bars.close.tolist()) == {101.0}


def test_an_empty_span_is_refused():
    with pytest.raises(InvalidValue, match="a start before its end"):
        Span(START, START)


def test_a_table_without_rows_needs_no_flush(tmp_path):
    sink = Sink(Lake(tmp_path), None)
    sink.put(BTC, empty(Kind.CANDLES))
    assert sink.flush() == 0
    assert not list(tmp_path.rglob("*.parquet"))
