"""The final comparison: what the ledger says beside what the venue says, on real rows."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from apps.exchanges.models import Account, InstrumentRow, Portfolio, Position, Transfer, Venue
from apps.exchanges.ports import AccountSnapshot, PositionSnapshot
from apps.monitor.demo.report import Comparison, Outcome, compared
from apps.monitor.demo.snapshot import take_snapshot
from moondev.domain.values import Money, Price, SignedQuantity

NOW = datetime(2026, 1, 1, tzinfo=UTC)

pytestmark = [pytest.mark.integration, pytest.mark.django_db]


def usdc(text):
    return Money(Decimal(text), "USDC")


@pytest.fixture
def account():
    venue = Venue.objects.create(
        code="hyperliquid",
        protocol="hyperliquid",
        environment="paper",
        rest_url="http://localhost:1/hl",
        websocket_url="ws://localhost:1/hl/ws",
    )
    portfolio = Portfolio.objects.create(code="paper", currency="USDC", environment="paper")
    account = Account.objects.create(code="a", venue=venue, portfolio=portfolio, address="0x1", currency="USDC")
    Transfer.objects.create(account=account, amount=Decimal(1000), at=NOW, reference="opening")
    return account


@pytest.fixture
def instrument(account):
    return InstrumentRow.objects.create(
        venue=account.venue, symbol="BTC", asset="BTC", quote="USDC", tick=Decimal("0.1"), lot=Decimal("0.00001")
    )


def holds(account, instrument, strategy, quantity, cost, **money):
    return Position.objects.create(
        account=account,
        strategy=strategy,
        instrument=instrument,
        quantity=Decimal(quantity),
        cost=Decimal(cost),
        updated_at=NOW,
        **{name: Decimal(text) for name, text in money.items()},
    )


def snapshot(equity, *positions):
    return AccountSnapshot(usdc(equity), usdc(equity), usdc("0"), positions, NOW, NOW)


def venue_position(quantity, mark, value):
    return PositionSnapshot(
        "BTC", SignedQuantity(Decimal(quantity)), None, Price(Decimal(mark)), usdc(value), usdc("0"), 1
    )


def test_an_account_that_never_traded_agrees(account):
    assert compared(account, snapshot("1000")).difference == 0


def test_realised_profit_fees_and_funding_count_and_several_owners_add_up(account, instrument):
    holds(account, instrument, "one", "0.02", "1200", realised="10", fees="1.5", funding="-0.25")
    holds(account, instrument, "two", "-0.01", "-610", fees="0.5")
    # Net 0.01 at 61,000 is 610; it cost 590: 20 unrealised. 1000 + 10 - 2 - 0.25 + 20.
    comparison = compared(account, snapshot("1027.75", venue_position("0.01", "61000", "610")))
    assert comparison.ledger == Decimal("1027.75")
    assert comparison.unrealised == Decimal(20)
    assert comparison.difference == 0


def test_the_venues_value_is_taken_as_it_is_quoted(account, instrument):
    holds(account, instrument, "one", "0.03", "100")
    third = venue_position("0.03", "3333.333333333333333333333333", "100.000001")
    assert compared(account, snapshot("1000.000001", third)).difference == 0


def test_a_position_that_only_one_side_has_shows(account, instrument):
    assert compared(account, snapshot("1010", venue_position("0.01", "61000", "610"))).difference == Decimal(-10)
    holds(account, instrument, "one", "0.02", "1200")
    assert compared(account, snapshot("1000")).difference == Decimal(-1200)


def outcome(*comparisons, crashes=0, drained=True):
    return Outcome(take_snapshot(), comparisons, 60.0, {"mock": 0}, {"mock": crashes}, drained)


def test_the_report_is_one_line_of_json_with_what_was_promised():
    text = outcome(Comparison("a", Decimal("1000.5"), Decimal("1000.5"), Decimal("0.5"))).to_json()
    assert "\n" not in text
    report = json.loads(text)
    promised = {"ticks", "orders", "fills", "refused", "open_orders", "realised_pnl", "unrealised_pnl", "fees"}
    assert promised | {"ledger_minus_venue", "funding", "duration_s", "restarts"} <= set(report)
    assert report["ledger_minus_venue"] == 0
    assert report["unrealised_pnl"] == 0.5


def test_success_needs_equal_books_a_drain_and_no_crash():
    equal = Comparison("a", Decimal(1), Decimal(1), Decimal(0))
    above, below = (Comparison(name, Decimal(1), Decimal(1) + d, Decimal(0)) for name, d in (("b", 1), ("c", -1)))
    assert outcome(equal).succeeded
    assert not outcome(equal, crashes=1).succeeded
    assert not outcome(equal, drained=False).succeeded
    # Two errors that cancel are two errors.
    assert outcome(above, below).ledger_minus_venue == 0
    assert not outcome(above, below).succeeded
