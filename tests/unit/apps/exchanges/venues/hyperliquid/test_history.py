"""Reading all pages loses nothing, repeats nothing and always ends."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.exchanges.ports import ParseError
from apps.exchanges.venues.hyperliquid import history
from apps.exchanges.venues.rows import Rows
from moondev.domain.clock import milliseconds
from moondev.domain.errors import Invariant

START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Row:
    name: str
    time_exchange: datetime


class Venue:
    """Answers as the venue does: oldest first from a stamp on, so many rows at most."""

    def __init__(self, rows: list[Row], limit: int) -> None:
        self.rows, self.limit, self.calls = rows, limit, 0
        self.odd: set[str] = set()

    def page(self, start_ms: int) -> Rows[Row]:
        self.calls += 1
        page = [row for row in self.rows if milliseconds(row.time_exchange) >= start_ms][: self.limit]
        odd = [ParseError("row", "odd", row) for row in page if row.name in self.odd]
        return Rows(tuple(row for row in page if row.name not in self.odd), tuple(odd))


def rows(gaps_ms: list[int]) -> list[Row]:
    moment, found = START, []
    for number, gap in enumerate(gaps_ms):
        moment += timedelta(milliseconds=gap)
        found.append(Row(str(number), moment))
    return found


@given(st.lists(st.sampled_from([0, 0, 0, 1, 5]), max_size=3_000), st.sampled_from([500, 700, 2_000]))
def test_reads_every_row_once_in_order(gaps_ms: list[int], limit: int) -> None:
    venue = Venue(rows(gaps_ms), limit)
    found = history.read_all(START, venue.page, lambda row: row.name, limit)
    assert {row.name for row in found} == {row.name for row in venue.rows}
    assert [row.time_exchange for row in found] == sorted(row.time_exchange for row in found)


def test_reads_on_after_a_full_page_of_which_a_row_cannot_be_read() -> None:
    venue = Venue(rows([1] * 1_100), 500)
    venue.odd = {"3", "499", "700"}
    found = history.read_all(START, venue.page, lambda row: row.name, 500)
    assert {row.name for row in found} == {row.name for row in venue.rows} - venue.odd


def test_refuses_to_stop_at_a_full_page_that_nobody_can_read() -> None:
    venue = Venue(rows([1] * 1_100), 500)
    venue.odd = {row.name for row in venue.rows}
    with pytest.raises(Invariant, match="cannot read on"):
        history.read_all(START, venue.page, lambda row: row.name, 500)


def test_asks_once_when_little_happened() -> None:
    venue = Venue(rows([1, 1]), 2_000)
    history.read_all(START, venue.page, lambda row: row.name, 2_000)
    assert venue.calls == 1


def test_refuses_to_lose_rows_that_share_one_stamp() -> None:
    venue = Venue(rows([0] * 2_500), 2_000)
    with pytest.raises(Invariant, match="share the stamp"):
        history.read_all(START, venue.page, lambda row: row.name, 2_000)


def test_gives_up_after_a_bounded_number_of_pages() -> None:
    calls = iter(range(10**6))

    def endless(start_ms: int) -> Rows[Row]:
        first = next(calls) * 500
        return Rows(tuple(Row(str(first + n), START + timedelta(milliseconds=first + n)) for n in range(500)))

    with pytest.raises(Invariant, match="pages since"):
        history.read_all(START, endless, lambda row: row.name, 500)
