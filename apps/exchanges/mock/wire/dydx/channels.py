"""What the public channels begin with and what they go on with: books, trades, candles, markets, blocks.

https://docs.dydx.xyz/indexer-client/websockets
"""

from __future__ import annotations

import asyncio
from decimal import Decimal

from apps.exchanges.mock.engine.api import BookView, LevelView
from apps.exchanges.mock.engine.events import BarClosed, BarUpdated, BookChanged, Event, MarkChanged, TradePrinted
from apps.exchanges.mock.wire.dydx import views
from apps.exchanges.mock.wire.dydx.line import IndexerLine
from apps.exchanges.mock.wire.dydx.reads import BOOK_LEVELS, Reads
from apps.exchanges.mock.wire.dydx.refusals import RefusedRead
from apps.exchanges.mock.wire.dydx.venue import Venue
from apps.exchanges.mock.wire.dydx.words import RESOLUTIONS, iso, plain, ticker_of
from apps.exchanges.mock.wire.port import Json
from apps.exchanges.mock.wire.topics import Topics

BOOK, TRADES, CANDLES, MARKETS, BLOCKS = "v4_orderbook", "v4_trades", "v4_candles", "v4_markets", "v4_block_height"
CHANNELS = (BOOK, TRADES, CANDLES, MARKETS, BLOCKS)
_FIRST_TRADES, _FIRST_CANDLES = 100, 100
# The whole exchange is one topic of these channels.
_ALL = {MARKETS: "v4_markets", BLOCKS: "v4_block_height"}
Levels = dict[Decimal, Decimal]


class PublicChannels:
    """The market's topics: "channel id"."""

    def __init__(self, venue: Venue, reads: Reads, topics: Topics) -> None:
        """Listen to the engine of `venue` and tell the lines of `topics`."""
        self._venue, self._reads, self._topics = venue, reads, topics
        self._books: dict[str, tuple[Levels, Levels]] = {}
        self._changed: set[str] = set()
        self._bars: set[str] = set()
        self._oracles: dict[str, Decimal] = {}
        self._rates: dict[str, str] = {}
        self._trades: dict[str, list[Json]] = {}
        self._height = venue.chain.height
        self._scheduled = False
        venue.exchange.subscribe(self._on_event)

    @staticmethod
    def name(channel: str, given: str) -> str:
        """Return the id of a topic as the channel knows it."""
        return _ALL.get(channel, given)

    def first(self, channel: str, name: str) -> Json:
        """Return what a topic begins with. Raises RefusedRead for one there is not."""
        if channel == MARKETS:
            return {"markets": self._reads.market_rows()}
        if channel == BLOCKS:
            height = self._venue.chain.height
            return {"height": str(height), "time": iso(self._venue.blocks.time_ms(height))}
        ticker, _, resolution = name.partition("/")
        coin = self._reads.coin(ticker)
        if channel == CANDLES:
            if resolution not in RESOLUTIONS:
                raise RefusedRead(400, f"Invalid candle id: {name}")
            return {"candles": self._reads.candle_rows(coin, resolution, _FIRST_CANDLES)}
        if channel == TRADES:
            return {
                "trades": [
                    views.trade(self._venue.blocks, row) for row in self._venue.exchange.trades(coin, _FIRST_TRADES)
                ]
            }
        view = self._venue.exchange.book(coin, BOOK_LEVELS)
        known = self._books.setdefault(name, (_levels(view.bids), _levels(view.asks)))
        # Whoever comes later begins where the others are, so that the next difference fits all of them.
        return {"bids": _rows(known[0]), "asks": _rows(known[1])}

    def left(self, topic: str) -> None:
        """Forget the book of a topic that nobody listens to any more."""
        channel, _, name = topic.partition(" ")
        if channel == BOOK and topic not in self._topics:
            self._books.pop(name, None)

    def push_latest(self) -> None:
        """Send what is only worth its latest state: books, bars in progress, oracle prices, blocks."""
        changed, self._changed = self._changed, set()
        bars, self._bars = self._bars, set()
        for coin in changed:
            self._push_book(coin)
        for coin in bars:
            self._push_bars(coin)
        self._push_oracles()
        self._push_block()

    def tell(self, channel: str, name: str, contents: Json) -> None:
        """Owe news of a topic to every line that listens."""
        for line in self._topics.of(f"{channel} {name}"):
            if isinstance(line, IndexerLine):
                line.tell_contents(channel, name, contents)

    def _push_book(self, coin: str) -> None:
        ticker = ticker_of(coin)
        known = self._books.get(ticker)
        if known is None:
            return
        view: BookView = self._venue.exchange.book(coin, BOOK_LEVELS)
        now = (_levels(view.bids), _levels(view.asks))
        self._books[ticker] = now
        sides = {"bids": _difference(known[0], now[0]), "asks": _difference(known[1], now[1])}
        told = {side: rows for side, rows in sides.items() if rows}
        if told:
            self.tell(BOOK, ticker, told)

    def _push_bars(self, coin: str) -> None:
        for resolution in RESOLUTIONS:
            name = f"{ticker_of(coin)}/{resolution}"
            if f"{CANDLES} {name}" in self._topics:
                for row in self._reads.candle_rows(coin, resolution, 1):
                    self.tell(CANDLES, name, row)

    def _push_oracles(self) -> None:
        if f"{MARKETS} {_ALL[MARKETS]}" not in self._topics:
            return
        prices, self._oracles = self._oracles, {}
        now = self._venue.now_ms()
        rows = {
            ticker_of(coin): {
                "oraclePrice": plain(price),
                "effectiveAt": iso(now),
                "effectiveAtHeight": str(self._venue.blocks.height_at(now)),
                "marketId": self._venue.scales[coin].pair,
            }
            for coin, price in prices.items()
        }
        if rows:
            self.tell(MARKETS, _ALL[MARKETS], {"oraclePrices": rows})

    def _push_block(self) -> None:
        height = self._venue.chain.height
        if height == self._height:
            return
        self._height = height
        self.tell(BLOCKS, _ALL[BLOCKS], {"blockHeight": str(height), "time": iso(self._venue.blocks.time_ms(height))})
        self._push_rates()

    def _push_rates(self) -> None:
        """Tell the expected funding rates that moved since the last block."""
        if f"{MARKETS} {_ALL[MARKETS]}" not in self._topics:
            return
        rates = {ticker_of(coin): plain(self._venue.exchange.asset_context(coin).funding) for coin in self._venue.specs}
        moved = {ticker: {"nextFundingRate": rate} for ticker, rate in rates.items() if self._rates.get(ticker) != rate}
        self._rates = rates
        if moved:
            self.tell(MARKETS, _ALL[MARKETS], {"trading": moved})

    def _on_event(self, event: Event) -> None:
        if isinstance(event, BookChanged):
            self._changed.add(event.coin)
        elif isinstance(event, BarUpdated):
            self._bars.add(event.coin)
        elif isinstance(event, MarkChanged):
            self._oracles[event.coin] = event.mark
        elif isinstance(event, TradePrinted):
            self._collect(event)
        elif isinstance(event, BarClosed):
            self._close_bar(event)

    def _close_bar(self, event: BarClosed) -> None:
        bar = event.candle
        resolution = next((word for word, ours in RESOLUTIONS.items() if ours == bar.interval), None)
        if resolution is None or not bar.trades:
            return
        name = f"{ticker_of(bar.coin)}/{resolution}"
        if f"{CANDLES} {name}" in self._topics:
            self.tell(CANDLES, name, views.candle(bar, resolution, Decimal(0)))

    def _collect(self, event: TradePrinted) -> None:
        """Keep trades until the engine is done with the request that caused them: they are told together."""
        ticker = ticker_of(event.trade.coin)
        if f"{TRADES} {ticker}" not in self._topics:
            return
        self._trades.setdefault(ticker, []).append(views.trade(self._venue.blocks, event.trade))
        if not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        self._scheduled = False
        trades, self._trades = self._trades, {}
        for ticker, rows in trades.items():
            self.tell(TRADES, ticker, {"trades": rows})


def _levels(side: tuple[LevelView, ...]) -> Levels:
    return {level.price: level.size for level in side}


def _rows(levels: Levels) -> list[Json]:
    return [{"price": plain(price), "size": plain(size)} for price, size in levels.items()]


def _difference(old: Levels, new: Levels) -> list[list[str]]:
    """Return changed and new prices with their size, and those that went out of sight with size 0."""
    gone = [[plain(price), "0"] for price in old if price not in new]
    return gone + [[plain(price), plain(size)] for price, size in new.items() if old.get(price) != size]
