"""Keeps rates of conversion fresh from the marks of venues that list the pair, such as USDC in USDT.

A venue is asked itself, on a thread of its own, so rates need no Redis and hold nobody up. Where no venue lists a pair,
a person sets it in the admin; a row without an instrument is theirs and is left alone. Real money is never converted by
the mark of a mock exchange.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.conf import settings
from django.db.models import Q

from apps.exchanges.execution.timing import lasting
from apps.exchanges.models import Account, InstrumentRow, Portfolio, Position
from apps.exchanges.models.venues import Environment
from apps.exchanges.ports import VenueConfig
from apps.exchanges.registry import market_data_for
from apps.risk.models import ConversionRate
from apps.risk.models.rates import LARGEST_RATE, SMALLEST_RATE
from apps.risk.portfolio.conversion import Conversion, read_conversion
from moondev.domain.clock import process_clock
from moondev.domain.values import Price

logger = logging.getLogger(__name__)

EVERY_SECONDS = 30.0
# A rate that jumps farther than this from a fresh one is believed when it was read so often in a row.
JUMP = Decimal("0.02")
CONFIRMATIONS = 3
ACTOR = "risk_guard"

ReadMarks = Callable[[VenueConfig], Mapping[str, Price]]
Pair = tuple[str, str]


def marks_of_venue(venue: VenueConfig) -> Mapping[str, Price]:
    """Ask a venue for the mark of everything it lists. Raises as the venue's client does."""
    client = market_data_for(venue)
    try:
        return client.marks()
    finally:
        client.close()


class RatesKeeper:
    """Asks every half minute; remembers what is under way, and jumps that wait to be believed."""

    def __init__(self, read_marks: ReadMarks = marks_of_venue, pool: Executor | None = None) -> None:
        self._read_marks = read_marks
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="rates") if pool is None else pool
        self._asked: dict[str, Future[Mapping[str, Price]]] = {}
        self._due: datetime | None = None
        self._jumps: dict[Pair, tuple[Decimal, int]] = {}

    def keep(self, now: datetime) -> None:
        """Write what venues have answered, and ask them again when it is time. Waits for nobody.

        A venue that does not answer leaves its rates to go stale.
        """
        answered = {code: self._asked.pop(code) for code in list(self._asked) if self._asked[code].done()}
        due = self._due is None or now >= self._due
        if not answered and not due:
            return
        wanted = _wanted(now)
        for code, future in answered.items():
            self._take(code, future, [item for item in wanted if item.instrument.venue_id == code], now)
        if due:
            self._due = now + lasting(process_clock(), EVERY_SECONDS)
            for venue in {item.instrument.venue_id: item.instrument.venue for item in wanted}.values():
                if venue.code not in self._asked:
                    self._asked[venue.code] = self._pool.submit(self._read_marks, venue.to_config())

    def _take(self, code: str, future: Future[Mapping[str, Price]], wanted: Sequence[_Wanted], now: datetime) -> None:
        try:
            marks = future.result()
        except Exception as error:  # noqa: BLE001  no surprise of one venue may end the watch over all others
            logger.warning("rates of %s not refreshed: %r", code, error)
            return
        for item in wanted:
            mark = marks.get(item.instrument.symbol)
            if mark is not None and SMALLEST_RATE <= mark.value <= LARGEST_RATE:
                self._refresh(item.row, item.instrument, mark.value, now)

    def _refresh(self, row: ConversionRate | None, instrument: InstrumentRow, mark: Decimal, now: datetime) -> None:
        if row is None:
            ConversionRate.objects.get_or_create(
                base=instrument.asset, quote=instrument.quote,
                defaults={"rate": mark, "instrument": instrument, "at": now, "actor": ACTOR},
            )  # fmt: skip
            return
        fresh = now - row.at <= lasting(process_clock(), row.max_age_seconds)
        if fresh and not self._believed((row.base, row.quote), row.rate, mark):
            logger.warning("%s reads %s now; waits to be seen again", row, f"{mark:f}")
            return
        # Compare and set: what a person has set by hand meanwhile stays.
        same = ConversionRate.objects.filter(pk=row.pk, instrument=instrument, at__lte=now)
        same.update(rate=mark, at=now, actor=ACTOR)

    def _believed(self, pair: Pair, standing: Decimal, mark: Decimal) -> bool:
        """Return whether a reading may stand: near the rate that stands, or near itself so many times in a row."""
        if abs(mark / standing - 1) <= JUMP:
            self._jumps.pop(pair, None)
            return True
        last, seen = self._jumps.get(pair, (mark, 0))
        seen = seen + 1 if abs(mark / last - 1) <= JUMP else 1
        self._jumps[pair] = (mark, seen)
        if seen < CONFIRMATIONS:
            return False
        del self._jumps[pair]
        return True


@dataclass(frozen=True, slots=True)
class _Wanted:
    """An instrument whose mark is a rate; `row` None: there is none yet."""

    instrument: InstrumentRow
    row: ConversionRate | None


def _wanted(now: datetime) -> list[_Wanted]:
    listed = ConversionRate.objects.exclude(instrument=None).select_related("instrument", "instrument__venue")
    rows = [_Wanted(row.instrument, row) for row in listed if row.instrument is not None]
    return [*rows, *(_Wanted(row, None) for row in missing_pairs(read_conversion(now)))]


def missing_pairs(conversion: Conversion) -> list[InstrumentRow]:
    """Return instruments whose mark would give a rate that is needed and that no row leads to, fresh or stale."""
    accounts = list(Account.objects.filter(enabled=True).select_related("portfolio"))
    needed = {pair for pair in needed_pairs(accounts) if not _is_row(conversion, pair)}
    if not needed:
        return []
    real = any(account.portfolio.environment == Environment.LIVE for account in accounts)
    named = Q()
    for base, quote in needed:
        named |= Q(asset=base, quote=quote) | Q(asset=quote, quote=base)
    rows = InstrumentRow.objects.filter(named, active=True, venue__enabled=True).select_related("venue")
    if real:
        rows = rows.filter(venue__environment=Environment.LIVE)
    found: dict[frozenset[str], InstrumentRow] = {}
    for row in rows.order_by("venue__environment", "venue_id", "pk"):
        found.setdefault(frozenset((row.asset, row.quote)), row)
    return list(found.values())


def needed_pairs(accounts: Iterable[Account]) -> set[Pair]:
    """Return the currencies that have to be converted: of accounts and what they hold, into what is reported."""
    held = Position.objects.exclude(quantity=0).values_list("account_id", "instrument__quote").distinct()
    quotes: dict[int, set[str]] = {}
    for account_id, quote in held:
        quotes.setdefault(account_id, set()).add(quote)
    targets = {settings.MOONDEV_REPORTING_CURRENCY or None, *Portfolio.objects.values_list("currency", flat=True)}
    return {
        (currency, target)
        for account in accounts
        for currency in {account.currency, *quotes.get(account.pk, ())}
        for target in targets
        if target and currency != target
    }


def _is_row(conversion: Conversion, pair: Pair) -> bool:
    base, quote = pair
    return (base, quote) in conversion.rates or (quote, base) in conversion.rates
