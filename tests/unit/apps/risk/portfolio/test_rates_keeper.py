"""Rates come from venues that list the pair, never from a mock for real money, and a jump waits to be believed."""

from __future__ import annotations

from concurrent.futures import Executor, Future
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from apps.exchanges.models import Account, InstrumentRow, Portfolio, Venue
from apps.risk.models import ConversionRate
from apps.risk.portfolio.rates_keeper import RatesKeeper
from moondev.domain.errors import Connectivity
from moondev.domain.values import Price

pytestmark = pytest.mark.django_db
D = Decimal
NOW = datetime(2025, 7, 1, 12, tzinfo=UTC)


class AtOnce(Executor):
    """Does what it is given before it returns."""

    def submit(self, fn, /, *args, **kwargs):
        future: Future = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001  an executor keeps whatever was raised
            future.set_exception(error)
        return future


class Scene:
    """A portfolio in USDC with an account in USDT, at a venue that lists USDC in USDT."""

    def __init__(self, environment: str = "paper") -> None:
        self.now, self.mark, self.asked = NOW, "0.999", 0
        self.error: Exception | None = None
        venue = Venue.objects.create(
            code="bn", protocol="binance", environment="paper", rest_url="http://x", websocket_url="ws://x"
        )
        portfolio = Portfolio.objects.create(code="main", currency="USDC", environment=environment)
        Account.objects.create(code="bn-1", venue=venue, portfolio=portfolio, address="a", currency="USDT")
        self.pair = InstrumentRow.objects.create(
            venue=venue, symbol="USDCUSDT", asset="USDC", quote="USDT", tick=1, lot=1
        )
        self.keeper = RatesKeeper(self._marks, AtOnce())

    def _marks(self, venue) -> dict[str, Price]:
        self.asked += 1
        if self.error is not None:
            raise self.error
        return {"USDCUSDT": Price(D(self.mark)), "BTCUSDT": Price(D(100_000))}

    def read(self, mark: str | None = None, seconds: int = 31) -> Decimal | None:
        """Let the venue say `mark`, twice ask and take; return the rate that stands then."""
        self.mark = mark or self.mark
        self.now += timedelta(seconds=seconds)
        self.keeper.keep(self.now)
        self.now += timedelta(seconds=1)
        self.keeper.keep(self.now)
        row = ConversionRate.objects.first()
        return None if row is None else row.rate


def test_a_pair_that_is_needed_and_listed_gets_a_row_and_is_refreshed() -> None:
    scene = Scene()
    assert scene.read() == D("0.999")
    row = ConversionRate.objects.get()
    assert (row.base, row.quote, row.instrument, row.source) == ("USDC", "USDT", scene.pair, "mark of bn:USDCUSDT")
    assert scene.read("0.998") == D("0.998")
    assert ConversionRate.objects.get().at == scene.now


def test_venues_are_asked_twice_a_minute_and_not_at_all_without_need() -> None:
    scene = Scene()
    for _ in range(31):
        scene.read(seconds=1)
    assert scene.asked == 3
    ConversionRate.objects.all().delete()
    Account.objects.update(currency="USDC")
    scene.read()
    assert scene.asked == 3


def test_real_money_is_never_converted_by_the_mark_of_a_mock() -> None:
    assert Scene("live").read() is None


def test_what_a_person_has_set_is_left_alone() -> None:
    scene = Scene()
    ConversionRate.objects.create(base="USDC", quote="USDT", rate=D("0.9"), at=NOW, reason="the bank says so")
    assert scene.read() == D("0.9")
    assert scene.asked == 0


def test_a_venue_in_trouble_leaves_the_rate_to_go_stale() -> None:
    scene = Scene()
    scene.read()
    at = ConversionRate.objects.get().at
    for error in (Connectivity("reset"), ZeroDivisionError("a bug in a parser")):
        scene.error = error
        assert scene.read("0.5") == D("0.999")
    assert ConversionRate.objects.get().at == at


def test_a_jump_is_believed_when_it_is_seen_three_times_and_an_outlier_is_not() -> None:
    scene = Scene()
    scene.read()
    assert [scene.read(mark) for mark in ("9.99", "0.999", "9.99", "9.99", "0.998")] == [D("0.999")] * 4 + [D("0.998")]
    # A peg that breaks: each reading near the last one, far from what stands.
    assert [scene.read(mark) for mark in ("0.90", "0.89", "0.88")] == [D("0.998"), D("0.998"), D("0.88")]
    # A rate that is stale is no measure of a jump.
    scene.now += timedelta(hours=1)
    assert scene.read("0.5") == D("0.5")
