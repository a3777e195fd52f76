"""Opening an account's books, and booking the money that people move: from Python, the command and the admin."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.urls import reverse

from apps.exchanges.accounts import transfers
from apps.exchanges.accounts.balances import ADOPTION, equity_mark
from apps.exchanges.accounts.equity import account_books
from apps.exchanges.accounts.transfers import account_adopt_from_venue, transfer_book
from apps.exchanges.models import UNASSIGNED, Position, Transfer
from apps.exchanges.orders.reconcile import fill_reports
from apps.exchanges.orders.services import reports_apply
from moondev.domain.errors import Connectivity, InvalidValue
from moondev.domain.orders import TimeInForce
from tests.support.order_world import World, assert_exposure_exact, make_world

pytestmark = pytest.mark.django_db
D = Decimal


@pytest.fixture
def world(monkeypatch) -> World:
    made = make_world()
    Transfer.objects.update(reference="opening")
    monkeypatch.setattr(transfers, "VenueSessions", lambda: made.sessions)
    monkeypatch.setattr("apps.exchanges.admin.transfers.process_clock", lambda: made.clock)
    monkeypatch.setattr("apps.exchanges.management.commands.account.process_clock", lambda: made.clock)
    return made


@pytest.fixture
def operator(client):
    client.force_login(get_user_model().objects.create_superuser("operator"))
    return client


def unopened(world: World) -> World:
    Transfer.objects.all().delete()
    return world


def book(world: World, amount: object = "-25", reference: str = "w1") -> Transfer:
    return transfer_book(
        account_id=world.account.pk, amount=D(str(amount)), reference=reference, actor="ann", now=world.clock.now()
    )


def trade(world: World) -> None:
    world.rest("1.5", "101.3", tif=TimeInForce.IOC)
    reports = fill_reports(world.venue.trades, "stream")
    reports_apply(account_id=world.account.pk, reports=reports, now=world.clock.now())


def adopt(world: World) -> Transfer:
    return account_adopt_from_venue(world.account.pk, actor="ann", now=world.clock.now(), sessions=world.sessions)


def test_a_transfer_booked_twice_is_booked_once(world, caplog) -> None:
    assert book(world) == book(world)
    assert account_books(world.account.pk).cash == 100_000 - 25
    assert [record.message for record in caplog.records if "booked by ann" in record.message] == [
        f"account {world.account.pk}: transfer of -25 (w1) booked by ann"
    ]


def test_a_booked_withdrawal_makes_ledger_and_venue_equal(world) -> None:
    world.venue.deposit -= 25
    book(world)
    mark = equity_mark(world.account.pk, world.venue.account_snapshot(), world.clock.now())
    assert mark.ledger_equity == mark.venue_equity == 100_000 - 25


@pytest.mark.parametrize(
    ("amount", "reference", "named"),
    [
        ("0", "w1", "amount"),
        ("NaN", "w1", "amount"),
        ("1e18", "w1", "amount"),
        ("0.0000000000001", "w1", "amount"),
        ("5", " ", "reference"),
        ("5", "x" * 101, "reference"),
        ("5", ADOPTION, "reference"),
        ("5", "opening", "reference"),
    ],
)
def test_refuses_what_cannot_be_a_transfer(world, amount, reference, named) -> None:
    with pytest.raises(InvalidValue, match=named):
        book(world, amount, reference)
    assert Transfer.objects.count() == 1


def test_refuses_a_transfer_before_the_books_have_begun(world) -> None:
    unopened(world)
    with pytest.raises(InvalidValue, match="adopt it first"):
        book(world)
    assert not Transfer.objects.exists()


def test_books_that_began_with_a_trade_keep_it_when_the_first_transfer_comes(world) -> None:
    unopened(world)
    trade(world)
    world.clock.advance(timedelta(minutes=5))
    assert book(world, 100_000, "deposit").at == world.venue.trades[0].time_exchange
    assert not world.facts.precedes_books(world.venue.trades[0].time_exchange)


def test_nothing_goes_out_of_books_that_lack_what_the_account_began_with(world) -> None:
    unopened(world)
    trade(world)
    with pytest.raises(InvalidValue, match="what it began with"):
        book(world, -25)
    assert not Transfer.objects.exists()


def test_adopting_begins_the_books_at_what_the_venue_says(world) -> None:
    unopened(world)
    world.venue.deposit = D(5_000)
    assert adopt(world) == adopt(world)
    assert account_books(world.account.pk).cash == 5_000


def test_what_an_adopted_account_holds_belongs_to_nobody_yet(world) -> None:
    world.rest("1.5", tif=TimeInForce.IOC)
    unopened(world)
    assert adopt(world).amount == world.venue.account_snapshot().equity.value
    assert Position.objects.get().strategy == UNASSIGNED
    assert account_books(world.account.pk).agrees_on_positions(world.venue.account_snapshot())


def test_a_venue_that_does_not_answer_opens_no_books(world) -> None:
    unopened(world)
    world.venue.refuse("account_snapshot", Connectivity("timed out"))
    with pytest.raises(Connectivity):
        adopt(world)
    assert not Transfer.objects.exists()


def test_an_account_that_traded_here_is_not_adopted(world) -> None:
    trade(world)
    with pytest.raises(InvalidValue, match="without transfers"):
        adopt(world)
    assert_exposure_exact()


def test_the_command_adopts_and_books(world, capsys) -> None:
    unopened(world)
    call_command("account", "adopt", "paper-1")
    call_command("account", "transfer", "paper-1", "--amount", "-25.5", "--reference", "w1")
    assert capsys.readouterr().out.splitlines() == [
        "paper-1: books begin with 100000 at 2025-07-01 12:00:00",
        "paper-1: -25.5 booked as 'w1' at 2025-07-01 12:00:00",
    ]
    assert account_books(world.account.pk).cash == D("99974.5")


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["transfer", "paper-9", "--amount", "1", "--reference", "x"], "paper-1"),
        (["transfer", "paper-1", "--amount", "lots", "--reference", "x"], "amount"),
        (["transfer", "paper-1", "--amount", "1"], "reference"),
        (["transfer", "paper-1", "--reference", "x"], "amount"),
        (["adopt", "paper-9"], "paper-1"),
    ],
)
def test_the_command_names_what_is_wrong(world, arguments, named) -> None:
    with pytest.raises(CommandError, match=named):
        call_command("account", *arguments)
    assert Transfer.objects.count() == 1


def test_an_operator_books_a_withdrawal_in_the_admin(world, operator) -> None:
    form = {"account": world.account.pk, "amount": "-25", "reference": "w1"}
    answer = operator.post(reverse("admin:exchanges_transfer_add"), form)
    assert answer.status_code == 302
    booked = Transfer.objects.get(reference="w1")
    assert (booked.amount, booked.at) == (-25, world.clock.now())
    assert LogEntry.objects.get().object_id == str(booked.pk)


@pytest.mark.parametrize(("amount", "reference"), [("0", "w1"), ("5", ADOPTION), ("5", "opening")])
def test_the_admin_refuses_what_the_service_refuses(world, operator, amount, reference) -> None:
    form = {"account": world.account.pk, "amount": amount, "reference": reference}
    answer = operator.post(reverse("admin:exchanges_transfer_add"), form)
    assert answer.status_code == 200
    assert answer.context["adminform"].form.errors
    assert Transfer.objects.count() == 1


def test_a_booked_transfer_is_neither_edited_nor_removed(world, operator) -> None:
    booked = Transfer.objects.get()
    change = reverse("admin:exchanges_transfer_change", args=[booked.pk])
    assert operator.post(change, {"amount": "1"}).status_code == 403
    assert operator.post(reverse("admin:exchanges_transfer_delete", args=[booked.pk])).status_code == 403


def test_an_operator_adopts_an_account_in_the_admin(world, operator) -> None:
    unopened(world)
    page, rows = reverse("admin:exchanges_account_changelist"), {ACTION_CHECKBOX_NAME: [world.account.pk]}
    asked = operator.post(page, {"action": "adopt", **rows})
    assert b"The venue is asked" in asked.content
    assert not Transfer.objects.exists()
    operator.post(page, {"action": "adopt", "confirmed": "yes", **rows})
    assert Transfer.objects.get().reference == ADOPTION
