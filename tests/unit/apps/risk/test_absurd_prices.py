"""A price feed that freezes, jumps or turns to nonsense: nobody is sold out for it, and no loss hides behind it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from apps.exchanges.accounts.balances import _mark_accounts
from apps.exchanges.models import Account, AccountEvent, EquityMark, Transfer, Veto
from apps.exchanges.ports import ParseError
from apps.risk.models import Breaker, BreakerState
from apps.risk.plausibility import AGREEING
from moondev.domain.errors import Connectivity
from moondev.domain.values import Price
from tests.unit.apps.risk.guard_scene import CALM, SIZE, scene_maker

pytestmark = pytest.mark.django_db
D = Decimal


@pytest.fixture
def make(settings, tmp_path, monkeypatch):
    """Return a maker of scenes with so many accounts in one portfolio at one venue."""
    settings.MOONDEV_HALT_FILE = tmp_path / "halt"
    with scene_maker(monkeypatch) as maker:
        yield maker


ABSURD = [CALM * 10, CALM / 1_000_000]


@pytest.mark.parametrize("mark", ABSURD)
@pytest.mark.parametrize("size", [SIZE, -SIZE])
@pytest.mark.parametrize("answers", [1, AGREEING - 1])
def test_an_absurd_mark_that_passes_stops_nobody_and_becomes_nobodys_peak(make, mark, size, answers) -> None:
    scene = make(size=size)
    scene.feed.mark = mark
    scene.watch(answers)
    scene.feed.mark = CALM
    scene.watch(6)
    assert not Veto.objects.exists()
    assert not BreakerState.objects.exclude(mode="closed").exists()
    assert set(EquityMark.objects.values_list("venue_equity", flat=True)) == {D(100_000)}


@pytest.mark.parametrize("size", [SIZE, -SIZE])
def test_a_crash_against_us_that_lasts_is_believed_within_seconds_and_stops_us(make, size) -> None:
    """A hundred to one against a position of a tenth: what the venue goes on saying is what it liquidates by."""
    scene = make(size=size)
    scene.feed.mark = CALM * 4 if size < 0 else CALM / 100
    scene.watch(AGREEING + 3)
    assert Veto.objects.filter(keep_share=0).exists() == (size < 0), (
        "of a short's account 30 % are lost, of a long's 10"
    )
    assert BreakerState.objects.filter(breaker__code="day-loss", mode="open").exists()


def test_a_fall_in_steps_that_each_can_be_true_is_believed_at_once(make) -> None:
    scene = make(size=-SIZE)
    for _ in range(12):
        scene.feed.mark *= D("1.15")
        scene.watch()
    assert Veto.objects.filter(scope_kind="portfolio", flatten=True).exists()


@pytest.mark.parametrize("mark", ABSURD)
def test_an_absurd_mark_that_our_own_market_data_contradict_is_never_believed_and_told(make, mark) -> None:
    scene = make()
    scene.own = {"hyperliquid:BTC": Price(CALM)}
    scene.feed.mark = mark
    scene.watch(18)
    assert not Veto.objects.exists()
    alarm = AccountEvent.objects.get()
    assert alarm.kind == AccountEvent.Kind.MARK_DIFFERS
    assert f"the venue says {Price(mark)}, our market data 1000" in alarm.message
    assert not EquityMark.objects.exclude(venue_equity=100_000).exists()


def test_a_frozen_mark_is_told_while_our_own_market_data_go_on(make) -> None:
    scene = make()
    scene.own = {"hyperliquid:BTC": Price(CALM * D("0.9"))}
    scene.watch(8)
    assert not AccountEvent.objects.exists(), "market data and account are not told at the same moment"
    scene.watch(10)
    assert AccountEvent.objects.get().kind == AccountEvent.Kind.MARK_DIFFERS


@pytest.mark.parametrize(
    "error", [ParseError("markPx", "a finite number", "NaN"), ParseError("markPx", "a number above 0", "0")]
)
def test_a_mark_that_is_no_number_is_unknown_and_stops_nobody(make, error) -> None:
    scene = make()
    scene.feed.fails = error
    scene.watch(10)
    assert not Veto.objects.exists()
    scene.feed.fails, scene.feed.mark = None, CALM / 2
    scene.watch(AGREEING + 2)
    assert BreakerState.objects.filter(breaker__code="day-loss", mode="open").exists(), "the loss behind it shows"


def test_one_wrong_answer_is_not_counted_twice_while_other_accounts_have_their_turn(make) -> None:
    """Eight accounts of a venue are asked every four seconds; in between each is what it was."""
    scene = make(accounts=8)
    # Within what one answer may move by, and enough to take a strategy to its limit.
    Breaker.objects.filter(code="strategy-drawdown").update(threshold=D("0.015"))
    Breaker.objects.filter(code="portfolio-drawdown").update(threshold=D("0.002"))
    scene.watch(8)
    first = Account.objects.order_by("pk").first()
    scene.feed.at[first.pk] = CALM * D("0.82")
    while EquityMark.objects.filter(account=first, venue_equity__lt=100_000).count() == 0:
        scene.watch()
    scene.feed.at.clear()
    scene.watch(8)
    assert EquityMark.objects.filter(account=first, venue_equity__lt=100_000).count() > 1, "it was repeated"
    assert not Veto.objects.exists()


def test_a_loss_on_one_of_many_accounts_is_still_found(make) -> None:
    scene = make(accounts=8)
    Breaker.objects.filter(code="portfolio-drawdown").update(threshold=D("0.002"))
    first = Account.objects.order_by("pk").first()
    scene.feed.at[first.pk] = CALM * D("0.82")
    scene.watch(16)
    assert Veto.objects.filter(scope_kind="portfolio").exists()


def test_a_transfer_booked_while_its_venue_is_silent_is_no_loss(make) -> None:
    scene = make()
    scene.feed.fails = Connectivity("timed out")
    account = Account.objects.get()
    Transfer.objects.create(account=account, amount=60_000, at=scene.clock.now(), reference="in")
    scene.watch(5)
    scene.feed.fails = None
    scene.feed.cash += 60_000
    scene.watch(6)
    assert not Veto.objects.exists()


def test_the_worker_that_marks_accounts_leaves_a_jump_to_the_guard(make) -> None:
    scene = make()
    scene.feed.mark = CALM * 10
    scene.clock.advance(timedelta(seconds=5))
    assert _mark_accounts("hyperliquid", scene.feed, scene.clock) == []
    scene.feed.mark = CALM * D("1.1")
    (mark,) = _mark_accounts("hyperliquid", scene.feed, scene.clock)
    assert mark.venue_equity == 101_000
