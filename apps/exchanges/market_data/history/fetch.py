"""One series of one span, brought into lake and database: what either has the other gets, the rest is asked for.

Doing it twice changes nothing, and a download that was killed goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType

import pyarrow as pa

from apps.exchanges.market_data.history.download import Downloader
from apps.exchanges.market_data.history.reader import Gap, gaps_between
from apps.exchanges.market_data.history.series import Kind, SeriesKey, absent_from, empty, stamps, tidy, unlike, within
from apps.exchanges.market_data.history.sink import Sink
from apps.exchanges.market_data.history.sound import LAST_MS, require_sound
from moondev.domain.clock import from_milliseconds, milliseconds
from moondev.domain.errors import InvalidValue

# What is asked for at a time; a kill costs at most so much.
PIECES = MappingProxyType({Kind.TRADES: timedelta(hours=1), Kind.FUNDING: timedelta(days=30)})
# Venues tell their newest rows late: the last minute is asked for again.
SETTLING = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Span:
    """From `start` up to but without `end`."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        """Refuse a span that ends before it begins."""
        if self.end <= self.start:
            raise InvalidValue("span", f"{self.start.isoformat()} to {self.end.isoformat()}", "a start before its end")


@dataclass(frozen=True, slots=True)
class Fetched:
    """What became of one series: rows that came from the venue, rows there now, and bars still missing."""

    key: SeriesKey
    came: int
    rows: int
    gaps: tuple[Gap, ...]


def fetch(key: SeriesKey, span: Span, downloader: Downloader, *, again: bool = False) -> Fetched:
    """Bring what is missing of a series. `again`: ask for trades and rates that were asked for before, too.

    Raises Configuration for what the venue does not tell, Connectivity when it stays silent, InvalidValue for an
    answer that cannot have happened. What had come by then is kept.
    """
    span = replace(span, end=min(span.end, downloader.clock.now()))
    have = level(key, span, downloader.sink)
    if key.kind is Kind.CANDLES:
        came = downloader.candles(key, span.start, span.end, have)
    else:
        came = sum(_piece(key, piece, downloader) for piece in _pieces(key, span, downloader.sink, again))
        downloader.progress(span.end)
    rows = level(key, span, downloader.sink)
    return Fetched(key, came, len(rows), _gaps(key, span, rows, downloader.clock.now()))


def settle(key: SeriesKey, span: Span, downloader: Downloader) -> int:
    """Hold the bars kept of a span against the venue's own; return how many lacked or differed and are right now.

    Raises as `fetch` does. The venue's word holds: what was heard live may have lacked the last trade of a bar.
    """
    sink, changed = downloader.sink, 0
    for theirs in downloader.closed_bars(key, span.start, span.end, empty(key.kind)):
        require_sound(key, theirs)
        if not len(theirs):
            continue
        first, last = (from_milliseconds(int(stamps(theirs)[place])) for place in (0, -1))
        if sink.lake is not None:
            ours = sink.lake.read(key, first, last + timedelta(milliseconds=1))
            changed += sink.lake.write(key, unlike(theirs, ours))
        if sink.store is not None:
            young = theirs if (since := sink.hot_since.get(key.kind)) is None else within(
                theirs, milliseconds(since), LAST_MS
            )  # fmt: skip
            changed += sink.store.write(key, young)
    return changed


def level(key: SeriesKey, span: Span, sink: Sink) -> pa.Table:
    """Give lake and database what only the other has of a span; return all there is."""
    lake = empty(key.kind) if sink.lake is None else sink.lake.read(key, span.start, span.end)
    if sink.store is None or key.kind not in sink.keeps:
        return lake
    young_from = max(span.start, sink.hot_since.get(key.kind, span.start))
    store = sink.store.read(key, young_from, span.end) if young_from < span.end else empty(key.kind)
    both = tidy(key.kind, pa.concat_tables([lake, store]))
    if sink.lake is not None:
        sink.lake.write(key, absent_from(key.kind, both, lake))
    young = both.filter(pa.array(stamps(both) >= milliseconds(young_from)))
    sink.store.write(key, absent_from(key.kind, young, store))
    return both


def _pieces(key: SeriesKey, span: Span, sink: Sink, again: bool) -> Iterator[Span]:  # noqa: FBT001 - private
    first, last = milliseconds(span.start), milliseconds(span.end)
    missing = [(first, last)] if again or sink.lake is None else sink.lake.covered(key).missing(first, last)
    step = round(PIECES[key.kind].total_seconds() * 1000)
    for start, end in missing:
        for at in range(start, end, step):
            yield Span(from_milliseconds(at), from_milliseconds(min(at + step, end)))


def _piece(key: SeriesKey, piece: Span, downloader: Downloader) -> int:
    ask = downloader.funding if key.kind is Kind.FUNDING else downloader.trades
    came = ask(key, piece.start, piece.end)
    settled = min(piece.end, downloader.clock.now() - SETTLING)
    if downloader.sink.lake is not None and settled > piece.start:
        downloader.sink.lake.cover(key, piece.start, settled)
    return came


def _gaps(key: SeriesKey, span: Span, rows: pa.Table, now: datetime) -> tuple[Gap, ...]:
    if key.interval is None:
        return ()
    closed = min(span.end, now - key.interval + timedelta(milliseconds=1))
    return tuple(gaps_between(stamps(rows), key.interval, span.start, closed)) if closed > span.start else ()
