"""Short order numbers: one per id for ever, stored before they are used, found both ways, however many draw at once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, OperationalError, close_old_connections, connection, connections, transaction

from apps.exchanges.models import Account, ShortId, ShortIdSequence
from apps.exchanges.models.short_ids import LARGEST
from apps.exchanges.orders import short_ids
from apps.exchanges.orders.short_ids import AccountShortIds, short_ids_of
from apps.exchanges.short_ids import NoShortIds, PassingShortIds
from moondev.domain.clock import process_clock
from moondev.domain.errors import Configuration
from tests.support.order_world import make_world

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def book() -> Iterator[AccountShortIds]:
    yield AccountShortIds(make_world().account.pk)
    connection.close()


def test_a_number_stands_for_one_id_and_is_found_both_ways(book: AccountShortIds) -> None:
    names = [uuid4() for _ in range(3)]
    assert book.known(names) == {}
    drawn = book.numbers(names)
    assert sorted(drawn) == sorted(names)
    assert len(set(drawn.values())) == 3
    assert book.numbers(names) == drawn == book.known(names)
    assert book.ids([*drawn.values(), 7]) == {number: name for name, number in drawn.items()}
    assert max(book.numbers([uuid4()]).values()) == max(drawn.values()) + 1
    assert all(0 < number <= LARGEST for number in drawn.values())


def test_numbers_go_on_above_those_of_a_database_that_is_gone(book: AccountShortIds) -> None:
    (number,) = book.numbers([uuid4()]).values()
    assert abs(number - process_clock().now().timestamp()) < 60


def test_another_account_has_numbers_of_its_own(book: AccountShortIds) -> None:
    name = uuid4()
    mine = book.numbers([name])
    known = Account.objects.get(pk=book.account_id)
    other = AccountShortIds(
        Account.objects.create(
            code="other", venue=known.venue, portfolio=known.portfolio, address="0x2", currency="USDC"
        ).pk
    )
    assert other.known([name]) == {}
    assert other.ids(list(mine.values())) == {}
    assert book != other
    assert hash(book) == hash(AccountShortIds(book.account_id))


def test_nothing_is_drawn_twice_by_many_at_once(book: AccountShortIds) -> None:
    shared = [uuid4() for _ in range(5)]

    def draw(worker: int) -> dict[UUID, int]:
        try:
            return dict(book.numbers([*shared, *(uuid4() for _ in range(worker + 1))]))
        finally:
            close_old_connections()
            connection.close()

    with ThreadPoolExecutor(max_workers=4) as pool:
        answers = list(pool.map(draw, range(4)))
    assert all({name: answer[name] for name in shared} == {n: answers[0][n] for n in shared} for answer in answers)
    rows = ShortId.objects.filter(account_id=book.account_id)
    assert rows.count() == len(set(rows.values_list("number", flat=True))) == 5 + 1 + 2 + 3 + 4


def test_a_number_that_a_rollback_could_take_back_is_not_given(book: AccountShortIds) -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        book.numbers([uuid4()])
    assert ShortId.objects.count() == 0


def test_the_last_number_is_the_end(book: AccountShortIds) -> None:
    ShortIdSequence.objects.create(account_id=book.account_id, last=LARGEST - 2)
    assert list(book.numbers([uuid4()]).values()) == [LARGEST - 1]
    with pytest.raises(Configuration, match="used up"):
        book.numbers([uuid4()])
    with pytest.raises(IntegrityError), transaction.atomic():
        ShortIdSequence.objects.update(last=LARGEST + 1)


def test_on_an_event_loop_the_question_is_asked_elsewhere(
    book: AccountShortIds, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = book.numbers([uuid4()])

    async def ask() -> dict[int, UUID]:
        return dict(book.ids(list(drawn.values())))

    assert asyncio.run(ask()) == {number: name for name, number in drawn.items()}

    def away(*_: object) -> None:
        raise OperationalError("the database is away")

    monkeypatch.setattr(short_ids, "fetch", away)
    assert asyncio.run(ask()) == {}, "a stream goes on without the database"
    with pytest.raises(OperationalError):
        book.ids(list(drawn.values()))
    short_ids._thread().submit(connections.close_all).result(5)


def test_only_venues_with_short_ids_have_a_book(book: AccountShortIds) -> None:
    assert short_ids_of(book.account_id, "dydx") == book
    assert short_ids_of(book.account_id, "hyperliquid") is None


def test_tools_without_a_database_have_numbers_that_pass() -> None:
    passing, name = PassingShortIds(), uuid4()
    drawn = passing.numbers([name, name])
    assert passing.known([name, uuid4()]) == drawn == passing.numbers([name])
    assert PassingShortIds.FIRST <= drawn[name] <= PassingShortIds.LAST
    assert passing.ids([drawn[name], 5]) == {drawn[name]: name}
    nobody = NoShortIds()
    assert nobody.known([name]) == nobody.ids([1]) == {}
    with pytest.raises(Configuration):
        nobody.numbers([name])
