"""Who wants which market data, and what that adds up to per venue."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models import Q

from apps.exchanges.models import DataWish, InstrumentRow
from moondev.domain.market_data import Needs


@dataclass(frozen=True, slots=True)
class Wanted:
    """Everything wanted of one instrument: closed bars kept per interval, and the finest move to report.

    `book_move_bps` 0 means nobody asked to be told of moves.
    """

    symbol: str
    key: str
    bars: tuple[tuple[timedelta, int], ...]
    book_move_bps: float


def wishes_set(owner: str, needs: Needs, *, book_move_bps: float = 0.0) -> None:
    """Replace the wishes of `owner` by what `needs` says. Unknown instruments are left out: nobody can stream them."""
    rows = (
        {row.key: row for row in InstrumentRow.objects.filter(_named(needs.instruments))} if needs.instruments else {}
    )
    intervals = {0: 0} | {round(interval.total_seconds()): count for interval, count in needs.bars.items()}
    wishes = [
        DataWish(owner=owner, instrument=row, interval_seconds=seconds, bars=count, book_move_bps=book_move_bps)
        for row in rows.values()
        for seconds, count in intervals.items()
    ]
    with transaction.atomic():
        DataWish.objects.filter(owner=owner).delete()
        DataWish.objects.bulk_create(wishes)


def wishes_extend(owner: str, bars: Mapping[timedelta, int]) -> None:
    """Have so many closed `bars`, by their length, streamed of every instrument that `owner` looks at already."""
    instruments = set(DataWish.objects.filter(owner=owner).values_list("instrument_id", flat=True))
    with transaction.atomic():
        for pk in sorted(instruments):
            for interval, count in bars.items():
                seconds = round(interval.total_seconds())
                wish, made = DataWish.objects.get_or_create(
                    owner=owner, instrument_id=pk, interval_seconds=seconds, defaults={"bars": count}
                )
                if not made and wish.bars < count:
                    DataWish.objects.filter(pk=wish.pk, bars__lt=count).update(bars=count)


def wishes_clear(owner: str) -> None:
    """Forget what `owner` wanted."""
    DataWish.objects.filter(owner=owner).delete()


def wanted_at(venue: str) -> list[Wanted]:
    """Return what is wanted of each instrument of `venue`, every wish taken together, by symbol."""
    wishes = DataWish.objects.filter(instrument__venue_id=venue, instrument__active=True).select_related("instrument")
    by_symbol: dict[str, list[DataWish]] = {}
    for wish in wishes:
        by_symbol.setdefault(wish.instrument.symbol, []).append(wish)
    return [_together(symbol, by_symbol[symbol]) for symbol in sorted(by_symbol)]


def _together(symbol: str, wishes: Sequence[DataWish]) -> Wanted:
    counts: dict[int, int] = {}
    for wish in wishes:
        if wish.interval_seconds:
            counts[wish.interval_seconds] = max(counts.get(wish.interval_seconds, 0), wish.bars)
    moves = [wish.book_move_bps for wish in wishes if wish.book_move_bps > 0]
    return Wanted(
        symbol=symbol,
        key=wishes[0].instrument.key,
        bars=tuple((timedelta(seconds=seconds), counts[seconds]) for seconds in sorted(counts)),
        book_move_bps=min(moves, default=0.0),
    )


def _named(keys: Iterable[str]) -> Q:
    named = Q()
    for key in keys:
        venue, _, symbol = key.partition(":")
        named |= Q(venue_id=venue, symbol=symbol)
    return named
