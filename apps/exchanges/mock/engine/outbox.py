"""Collects events while a request runs and delivers them when it is complete."""

from __future__ import annotations

from collections.abc import Callable

from apps.exchanges.mock.engine.api import Candle
from apps.exchanges.mock.engine.bars import Bar, interval_ms
from apps.exchanges.mock.engine.events import BarClosed, BarUpdated, BookChanged, Event, Listener, OrderUpdated
from apps.exchanges.mock.engine.market import Market
from apps.exchanges.mock.engine.orders import Order


def candle_of(market: Market, interval: str, bar: Bar) -> Candle:
    """Return `bar` with its amounts as Decimals."""
    grid = market.grid
    return Candle(
        coin=market.coin,
        interval=interval,
        open_ms=bar.open_ms,
        close_ms=bar.open_ms + interval_ms(interval) - 1,
        open=grid.price(bar.open),
        high=grid.price(bar.high),
        low=grid.price(bar.low),
        close=grid.price(bar.close),
        volume=grid.size(bar.volume),
        trades=bar.trades,
    )


class Outbox:
    """The events of the request in hand. Nothing is built while nobody listens."""

    __slots__ = ("_bars", "_books", "_events", "_listeners")

    def __init__(self) -> None:
        self._listeners: list[Listener] = []
        self._events: list[Event] = []
        self._books: dict[str, None] = {}
        self._bars: dict[str, None] = {}

    @property
    def heard(self) -> bool:
        """Return whether anybody listens."""
        return bool(self._listeners)

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Deliver to `listener` from now on; the returned function ends that."""
        self._listeners.append(listener)

        def unsubscribe() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return unsubscribe

    def add(self, event: Event) -> None:
        """Keep `event` until the request is complete."""
        if self._listeners:
            self._events.append(event)

    def order_updated(self, order: Order, now_ms: int) -> None:
        """Tell that `order` changed; the market's own orders are nobody's business."""
        if self._listeners and not order.account.house:
            self._events.append(OrderUpdated(order.account.address, order.snapshot(), now_ms))

    def book_changed(self, coin: str) -> None:
        """Tell once per request that the book of `coin` changed."""
        self._books[coin] = None

    def bars_changed(self, coin: str) -> None:
        """Tell once per request that the bars of `coin` changed."""
        self._bars[coin] = None

    def bar_closed(self, market: Market, interval: str, bar: Bar) -> None:
        """Tell that `bar` is final."""
        if self._listeners:
            self._events.append(BarClosed(candle_of(market, interval, bar)))

    def flush(self, now_ms: int) -> None:
        """Deliver everything collected, in order; books and bars last."""
        if not (self._events or self._books or self._bars):
            return
        events, self._events = self._events, []
        books, self._books = self._books, {}
        bars, self._bars = self._bars, {}
        if not self._listeners:
            return
        events.extend(BookChanged(coin, now_ms) for coin in books)
        events.extend(BarUpdated(coin, now_ms) for coin in bars)
        for event in events:
            for listener in tuple(self._listeners):
                listener(event)
