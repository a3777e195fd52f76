"""A venue that cannot be reached, a symbol it does not list, a key that is wrong: the order ends and says why."""

import secrets

import pytest

from apps.exchanges.models import InstrumentRow, Order, Signer, Venue
from moondev.domain.orders import OrderStatus
from moondev.servers.probes import free_port

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]


def ended(trader, order, *statuses, seconds=30):
    """Wait for an order's end; return what the row and its history say about it."""
    trader.wait_status(order, *statuses, seconds=seconds)
    order.refresh_from_db()
    said = [order.reason, *order.events.order_by("pk").values_list("detail", flat=True)]
    assert order.reserved == 0
    return " | ".join(said)


def assert_nothing_was_sent(trader):
    assert trader.mock.received(trader.address, "order") == 0
    assert not trader.mock.orders(trader.address)


def assert_another_trades(new_trader):
    other = new_trader()
    (taker,) = other.record(other.taker())
    other.wait_status(taker, OrderStatus.FILLED)
    other.finish()


def test_an_unreachable_venue_ends_the_order_unsent_and_names_the_address(new_trader):
    trader = new_trader()
    venue = Venue.objects.get(code=trader.account.venue_id)
    good, bad = venue.rest_url, f"http://127.0.0.1:{free_port()}/hl"
    Venue.objects.filter(pk=venue.pk).update(rest_url=bad)
    try:
        (bid,) = trader.record(trader.bid())
        said = ended(trader, bid, OrderStatus.REJECTED)
    finally:
        Venue.objects.filter(pk=venue.pk).update(rest_url=good)
    assert "not sent" in said
    assert bad in said
    assert_nothing_was_sent(trader)
    assert_another_trades(new_trader)
    (again,) = trader.record(trader.bid())
    trader.wait_status(again, OrderStatus.OPEN)
    trader.finish()


def test_a_symbol_the_venue_does_not_list_ends_its_order_and_not_those_beside_it(trader):
    nope = InstrumentRow.objects.create(
        venue=trader.btc.venue, symbol="NOPE", asset="NOPE", quote="USDC", venue_asset_id="999", tick=trader.btc.tick,
        significant_figures=5, lot=trader.btc.lot, min_notional=10, max_leverage=10,
    )  # fmt: skip
    btc, trader.btc = trader.btc, nope
    unknown = trader.bid()
    trader.btc = btc
    good, bad = trader.record(trader.taker(), unknown)
    said = ended(trader, bad, OrderStatus.REJECTED)
    assert "instrument is 'hyperliquid:NOPE'" in said
    trader.wait_status(good, OrderStatus.FILLED)
    assert set(trader.mock.orders(trader.address)) == {good.client_order_id}
    trader.finish()


def sign_with(trader, **fields):
    Signer.objects.filter(account=trader.account, purpose=Signer.Purpose.ORDERS).update(**fields)


def test_a_key_that_is_not_set_ends_the_order_unsent_and_names_the_variable(new_trader):
    trader = new_trader()
    sign_with(trader, secret_name="NO_SUCH_KEY")
    (bid,) = trader.record(trader.bid())
    said = ended(trader, bid, OrderStatus.CANCELLED)
    assert "NO_SUCH_KEY" in said
    assert_nothing_was_sent(trader)
    assert_another_trades(new_trader)


def test_a_key_of_another_account_sends_nothing_to_either(new_trader):
    trader, other = new_trader(), new_trader()
    theirs = Signer.objects.get(account=other.account, purpose=Signer.Purpose.ORDERS)
    sign_with(trader, secret_name=theirs.secret_name)
    (bid,) = trader.record(trader.bid())
    said = ended(trader, bid, OrderStatus.CANCELLED)
    assert theirs.secret_name in said
    assert theirs.address in said
    assert_nothing_was_sent(trader)
    assert_nothing_was_sent(other)


def test_a_key_that_is_no_key_is_refused_without_being_shown(new_trader, running):
    trader = new_trader()
    # A variable that every process of the platform has, and that is no private key.
    sign_with(trader, secret_name="MOCK_URL")
    (bid,) = trader.record(trader.bid())
    said = ended(trader, bid, OrderStatus.CANCELLED)
    assert "MOCK_URL" in said
    assert running.environment["MOCK_URL"] not in said
    assert_nothing_was_sent(trader)


def test_a_wallet_the_venue_does_not_know_is_told_in_the_venues_words(new_trader):
    trader = new_trader()
    address = f"0x{secrets.token_hex(20)}"
    trader.mock.fault("reject", action="order", count=1, value=f"User or API Wallet {address} does not exist.")
    (bid,) = trader.record(trader.bid())
    said = ended(trader, bid, OrderStatus.REJECTED)
    assert f"User or API Wallet {address} does not exist." in said
    assert not Order.objects.filter(account=trader.account, status=OrderStatus.OPEN).exists()
    assert not trader.mock.orders(trader.address)
    assert_another_trades(new_trader)
