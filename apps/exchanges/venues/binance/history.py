"""What an account did since a moment: fills and funding, although the venue tells both in pages and by symbol.

https://developers.binance.com/docs/derivatives/usds-margined-futures/trade/rest-api/Account-Trade-List
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from apps.exchanges.ports import FundingPayment, ParseError
from apps.exchanges.venues.binance import parse
from apps.exchanges.venues.binance.config import QUOTE_CURRENCY
from apps.exchanges.venues.binance.messages import FundingRow, IncomeRow
from apps.exchanges.venues.binance.rest import Calls, Rest
from apps.exchanges.venues.rows import Rows, reading
from moondev.domain.clock import Clock, from_milliseconds, milliseconds
from moondev.domain.errors import Connectivity, Invariant
from moondev.domain.fills import FillReport
from moondev.domain.values import Money, SignedQuantity

PAGE = 1_000
MAX_PAGES = 64
# The longest span of userTrades in one question.
_WEEK_MS = 7 * 24 * 3_600_000
# The venue's clock is another one: what happened this moment may have a stamp that has not come here yet.
_AHEAD = timedelta(seconds=5)
# How far the booking of funding may lie from the moment it was due.
_BOOKED_WITHIN = timedelta(minutes=10)
_ZERO = Decimal(0)


class History:
    """Reads one account's past. `note` hears of rows that cannot be read."""

    def __init__(self, rest: Rest, clock: Clock, note: Callable[[Sequence[ParseError]], None]) -> None:
        """Ask through `rest`."""
        self._rest, self._clock, self._note = rest, clock, note

    def fills(self, since: datetime, symbols: Iterable[str]) -> list[FillReport]:
        """Return every fill at or after `since`, oldest first.

        The venue tells fills of one symbol at a time. `symbols` are those we know of; which others there are the
        commissions tell, which are listed for all symbols together.
        """
        now_ms, start_ms = self._end_ms(), milliseconds(since)
        if start_ms > now_ms:
            return []
        traded = set(symbols) | {row.symbol for row in self._incomes("COMMISSION", start_ms) if row.symbol}
        found = [fill for symbol in sorted(traded) for fill in self._fills_of(symbol, start_ms, now_ms)]
        return sorted(found, key=lambda fill: fill.time_exchange)

    def funding(self, since: datetime, lots: Mapping[str, Decimal]) -> list[FundingPayment]:
        """Return every funding payment at or after `since`, oldest first.

        The venue books amounts; the rate comes from the public history, and the position follows from both. `lots` are
        the smallest sizes by symbol. Raises Connectivity when a rate is not published yet: a payment must not be
        passed over, because nobody asks for it again.
        """
        received, start_ms = self._clock.now(), milliseconds(since)
        if start_ms > milliseconds(received):
            return []
        rows = self._incomes("FUNDING_FEE", start_ms)
        rates = {symbol: self._rates(symbol, start_ms) for symbol in {row.symbol for row in rows}}
        payments = []
        for row in rows:
            with reading("funding", row):
                payments.append(_payment(row, rates[row.symbol], lots.get(row.symbol), received))
        return payments

    def _incomes(self, kind: str, start_ms: int) -> list[IncomeRow]:
        """Return the bookings of one kind, oldest first. Of one symbol at one moment, one is enough for every use."""
        found: dict[tuple[str, int], IncomeRow] = {}
        now_ms = self._end_ms()
        for _ in range(MAX_PAGES):
            asked = {"incomeType": kind, "startTime": start_ms, "endTime": now_ms, "limit": PAGE}
            page = self._noted(parse.incomes(self._rest.ask(Calls.INCOME, asked)))
            found.update(((row.symbol, row.time), row) for row in page.read)
            if page.count < PAGE or not page.read:
                return sorted(found.values(), key=lambda row: row.time)
            start_ms = max(start_ms + 1, *(row.time for row in page.read))
        raise Invariant(f"more than {MAX_PAGES} pages of {kind} since {from_milliseconds(start_ms).isoformat()}")

    def _fills_of(self, symbol: str, start_ms: int, now_ms: int) -> list[FillReport]:
        found: dict[str, FillReport] = {}
        while start_ms <= now_ms:
            end_ms = min(start_ms + _WEEK_MS, now_ms)
            asked: dict[str, object] = {"startTime": start_ms, "endTime": end_ms}
            page = self._fills_page(symbol, asked, found)
            if page.count >= PAGE:
                self._fills_from(symbol, page, found)
                break
            start_ms = end_ms + 1
        return list(found.values())

    def _fills_from(self, symbol: str, page: Rows[FillReport], found: dict[str, FillReport]) -> None:
        """Read on by trade number, which is not bound to a span of time."""
        for _ in range(MAX_PAGES):
            if not page.read:
                raise Invariant(f"a full page of fills of {symbol} of which none can be read")
            newest = max(int(fill.venue_trade_id.rpartition("-")[2]) for fill in page.read)
            page = self._fills_page(symbol, {"fromId": newest + 1}, found)
            if page.count < PAGE:
                return
        raise Invariant(f"more than {MAX_PAGES} pages of fills of {symbol}")

    def _fills_page(self, symbol: str, asked: Mapping[str, object], found: dict[str, FillReport]) -> Rows[FillReport]:
        text = self._rest.ask(Calls.FILLS, {"symbol": symbol, "limit": PAGE, **asked})
        page = self._noted(parse.fills(text, self._clock.now()))
        found.update((fill.venue_trade_id, fill) for fill in page.read)
        return page

    def _rates(self, symbol: str, start_ms: int) -> list[FundingRow]:
        margin = int(_BOOKED_WITHIN.total_seconds() * 1_000)
        asked = {"symbol": symbol, "startTime": start_ms - margin, "limit": PAGE}
        return list(self._noted(parse.funding_rows(self._rest.ask(Calls.FUNDING_RATES, asked))).read)

    def _end_ms(self) -> int:
        return milliseconds(self._clock.now() + _AHEAD)

    def _noted(self, page: Rows[parse.T]) -> Rows[parse.T]:
        self._note(page.unreadable)
        return page


def _payment(row: IncomeRow, rates: Sequence[FundingRow], lot: Decimal | None, received: datetime) -> FundingPayment:
    paid_at = from_milliseconds(row.time)
    nearest = min(rates, key=lambda rate: abs(rate.fundingTime - row.time), default=None)
    if nearest is None or abs(from_milliseconds(nearest.fundingTime) - paid_at) > _BOOKED_WITHIN:
        raise Connectivity(f"{row.symbol}: the rate of the funding booked at {paid_at.isoformat()} is not told yet")
    amount, rate = parse.number("income", row.income), parse.number("fundingRate", nearest.fundingRate)
    worth = rate * parse.number("markPrice", nearest.markPrice or "0")
    position = -amount / worth if worth else _ZERO
    if lot is not None:
        position = (position / lot).to_integral_value() * lot
    return FundingPayment(
        symbol=row.symbol,
        amount=Money(amount, row.asset or QUOTE_CURRENCY),
        rate=rate,
        position=SignedQuantity(position),
        time_exchange=paid_at,
        time_received=received,
    )
