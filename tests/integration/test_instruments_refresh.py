"""Our instruments follow what the venue lists; whether one is traded stays ours to say."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from apps.exchanges.market_data.listings import instruments_refresh
from apps.exchanges.mock.market import MarketOptions, open_market
from apps.exchanges.mock.threaded import mock_in_thread
from apps.exchanges.models import InstrumentRow, Venue
from moondev.domain.errors import Connectivity

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]


def venue_at(url: str) -> Venue:
    socket = url.replace("http", "ws", 1) + "/ws"
    return Venue.objects.create(
        code="hyperliquid", protocol="hyperliquid", environment="paper", rest_url=url, websocket_url=socket
    )


@pytest.fixture
def venue(transactional_db):
    exchange, clock = open_market(MarketOptions(feed="none", coins=("BTC", "ETH")))
    with mock_in_thread(exchange, clock) as mock:
        yield venue_at(mock.hyperliquid_url)


def test_adds_what_is_listed_and_twice_is_once(venue):
    first = instruments_refresh(venue)
    assert set(first.added) >= {"BTC", "ETH"}
    assert InstrumentRow.objects.get(symbol="BTC").to_domain().key == "hyperliquid:BTC"
    again = instruments_refresh(venue)
    assert (again.added, again.changed, again.gone) == ((), (), ())


def test_brings_changed_rules_up_to_date_and_leaves_the_operators_choice(venue):
    instruments_refresh(venue)
    InstrumentRow.objects.filter(symbol="BTC").update(max_leverage=1, active=False)
    assert instruments_refresh(venue).changed == ("BTC",)
    row = InstrumentRow.objects.get(symbol="BTC")
    assert row.max_leverage > 1
    assert not row.active


def test_puts_away_what_is_not_listed_any_more(venue):
    instruments_refresh(venue)
    InstrumentRow.objects.create(venue=venue, symbol="LUNA", asset="LUNA", quote="USDC", tick="0.1", lot="1")
    assert instruments_refresh(venue).gone == ("LUNA",)
    assert not InstrumentRow.objects.get(symbol="LUNA").active
    assert instruments_refresh(venue).gone == ()


def test_a_venue_that_does_not_answer_changes_nothing(transactional_db):
    venue = venue_at("http://127.0.0.1:1/hl")
    InstrumentRow.objects.create(venue=venue, symbol="BTC", asset="BTC", quote="USDC", tick="0.1", lot="1")
    with pytest.raises(Connectivity):
        instruments_refresh(venue)
    assert InstrumentRow.objects.get().active


def test_the_command_says_what_it_did_and_names_the_venues_there_are(venue):
    out = StringIO()
    call_command("instruments", "refresh", "--venue", "hyperliquid", stdout=out)
    assert "added" in out.getvalue()
    with pytest.raises(CommandError, match="hyperliquid"):
        call_command("instruments", "refresh", "--venue", "nasdaq")
