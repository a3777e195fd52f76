"""Public reads, the same on every venue: instruments on their grids, candles, books and marks."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from apps.exchanges.mock.engine.grid import Grid
from apps.exchanges.mock.venues import VENUES
from moondev.domain.clock import LiveClock, milliseconds
from moondev.domain.errors import TradingError
from moondev.domain.instruments import Rounding
from tests.contract.suite.scene import MARKS, SPECS, Trader, VenueScene

pytestmark = pytest.mark.contract

MINUTE = timedelta(minutes=1)
# The others set no such limit by quantity.
SAYS_ITS_LARGEST = {"binance", "bybit", "phemex"}


def test_instruments_come_with_the_rules_of_the_venue(scene: VenueScene) -> None:
    rules = VENUES[scene.venue.mock]
    with scene.reader() as reader:
        listed = {listing.instrument.symbol: listing for listing in reader.instruments()}
    for coin in MARKS:
        spec = rules.spec(next(spec for spec in SPECS if spec.coin == coin), MARKS[coin])
        instrument = listed[scene.symbol(coin)].instrument
        grid = Grid.of(spec)
        assert instrument.key == scene.key(coin)
        assert instrument.lot.value == spec.lot
        assert instrument.min_notional.value == spec.min_notional
        most = instrument.max_market_quantity
        assert (most is not None and most.value > spec.lot) == (scene.venue.mock in SAYS_ITS_LARGEST)
        assert instrument.min_notional.currency == instrument.quote == spec.quote
        for text in ("50000", "3000.5", "49999.95", "1234.56789"):
            price = Decimal(text)
            assert instrument.price_grid.step_at(price) > 0
            on_grid = instrument.price_grid.rounded(price, Rounding.NEAREST).value
            assert grid.price_units(on_grid) is not None, f"{coin}: the venue refuses {on_grid}"


def test_the_account_side_lists_the_same_instruments(scene: VenueScene, trader: Trader) -> None:
    with scene.reader() as reader:
        assert reader.instruments() == trader.client.instruments()


def test_the_book_has_the_market_s_quotes_best_first(scene: VenueScene) -> None:
    with scene.reader() as reader:
        book = reader.book(scene.symbol())
    assert (book.bids[0].price, book.asks[0].price) == (49_990.0, 50_010.0)
    assert book.bids[0].size > 0 < book.asks[0].size
    assert abs(LiveClock().now() - book.time_received) < MINUTE


def test_marks_are_told_for_every_instrument(scene: VenueScene) -> None:
    with scene.reader() as reader:
        marks = reader.marks()
    for coin, price in MARKS.items():
        assert marks[scene.symbol(coin)].value == price


def test_candles_end_with_the_bar_that_is_forming(scene: VenueScene) -> None:
    scene.trade("buy", "50010", "0.02")
    now = LiveClock().now()
    with scene.reader() as reader:
        bars = reader.candles(scene.symbol(), MINUTE, now - 5 * MINUTE, now)
        empty = reader.candles(scene.symbol(), MINUTE, now - timedelta(days=400), now - timedelta(days=399))
    assert len(empty) == 0
    assert bars.interval == MINUTE
    assert bars.close[-1] == 50_010
    assert bars.volume.sum() > 0
    assert all(stamp % 60_000 == 0 for stamp in bars.opened_ms)
    assert bars.opened_ms[-1] <= milliseconds(now)
    assert bars.opened_ms[0] >= milliseconds(now - 6 * MINUTE)


def test_a_symbol_the_venue_does_not_list_is_an_error_and_not_an_empty_answer(scene: VenueScene) -> None:
    with scene.reader() as reader, pytest.raises(TradingError):
        reader.book("NOSUCHCOIN")
