"""The market by asking: what changed since the last round, as the events a socket would have brought."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from apps.exchanges.ports import (
    BestQuoteUpdate,
    BookUpdate,
    CandleUpdate,
    MarketEvent,
    MarketSubscription,
    MarkUpdate,
    TradeBatch,
)
from apps.exchanges.venues.ccxt_generic.market_data import CcxtMarketData
from moondev.domain.clock import Clock
from moondev.domain.market_data import Book


class MarketRound:
    """One round of questions about the market. See `Round`."""

    def __init__(self, client: CcxtMarketData, wanted: Sequence[MarketSubscription], clock: Clock) -> None:
        """Ask `client` about `wanted`."""
        self._client, self._wanted, self._clock = client, wanted, clock
        # The ids of the newest trades told; None before the first look, which is about the past.
        self._told: dict[str, frozenset[str] | None] = {item.symbol: None for item in wanted}

    def ask(self) -> Iterator[MarketEvent]:
        """Return what the market looks like now. Raises what the questions raise."""
        for item in self._wanted:
            if item.book or item.best_quote:
                yield from self._books(item)
            if item.trades:
                yield from self._trades(item.symbol)
            for interval in item.candles:
                yield from self._candles(item.symbol, interval)
        if any(item.mark for item in self._wanted):
            yield from self._marks()

    def close(self) -> None:
        """Give back the connections."""
        self._client.close()

    def _books(self, item: MarketSubscription) -> Iterator[MarketEvent]:
        book = self._client.book(item.symbol)
        if item.book:
            yield BookUpdate(item.symbol, book)
        if item.best_quote:
            yield _best(item.symbol, book)

    def _trades(self, symbol: str) -> Iterator[MarketEvent]:
        trades = self._client.newest_trades(symbol)
        told = self._told[symbol]
        fresh = () if told is None else tuple(trade for trade in trades if trade.trade_id not in told)
        self._told[symbol] = frozenset(trade.trade_id for trade in trades)
        if fresh:
            yield TradeBatch(symbol, fresh)

    def _candles(self, symbol: str, interval: timedelta) -> Iterator[MarketEvent]:
        """Tell the bar that is forming and the one before it, so that its last state is heard."""
        now = self._clock.now()
        bars = self._client.candles(symbol, interval, now - 2 * interval, now).tail(2)
        for at in range(len(bars)):
            yield CandleUpdate(
                symbol=symbol,
                interval=interval,
                opened_ms=int(bars.opened_ms[at]),
                open=float(bars.open[at]),
                high=float(bars.high[at]),
                low=float(bars.low[at]),
                close=float(bars.close[at]),
                volume=float(bars.volume[at]),
                # A bar with another after it changes no more.
                closed=at < len(bars) - 1,
                time_received=now,
            )

    def _marks(self) -> Iterator[MarketEvent]:
        marks, received = self._client.marks(), self._clock.now()
        for item in self._wanted:
            price = marks.get(item.symbol)
            if item.mark and price is not None:
                # What the oracle says and what funding will be is not part of ccxt's tickers.
                yield MarkUpdate(item.symbol, float(price.value), float(price.value), 0.0, received)


def _best(symbol: str, book: Book) -> BestQuoteUpdate:
    bid = book.bids[0] if book.bids else None
    ask = book.asks[0] if book.asks else None
    return BestQuoteUpdate(symbol, bid, ask, book.time_exchange, book.time_received)
