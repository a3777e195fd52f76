"""Numbered book updates: what was last told of each book, and the difference to it.

https://developers.binance.com/docs/derivatives/usds-margined-futures/websocket-market-streams/How-to-manage-a-local-order-book-correctly
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from apps.exchanges.mock.engine.api import BookView, InstrumentSpec, LevelView
from apps.exchanges.mock.engine.events import BookChanged, Event
from apps.exchanges.mock.engine.exchange import Exchange
from apps.exchanges.mock.wire.binance.words import price, symbol_of, text
from apps.exchanges.mock.wire.port import Json

_Side = dict[Decimal, Decimal]


@dataclass(slots=True)
class _Told:
    """One book as it was last told. `last` numbers every change, `told` is the last one that was told.

    The touched prices are those of which a snapshot has shown another size since.
    """

    last: int
    told: int
    bids: _Side = field(default_factory=dict)
    asks: _Side = field(default_factory=dict)
    touched_bids: set[Decimal] = field(default_factory=set)
    touched_asks: set[Decimal] = field(default_factory=set)
    followed: bool = False


class Books:
    """The update ids of all books."""

    def __init__(self, exchange: Exchange, specs: Mapping[str, InstrumentSpec], now_ms: int) -> None:
        """Number the changes of the books of `specs`, from the time on, so that a restarted venue goes on upwards."""
        self._exchange, self._specs = exchange, specs
        self._books = {coin: _Told(now_ms * 10, now_ms * 10) for coin in self._specs}
        exchange.subscribe(self._on_event)

    def last(self, coin: str) -> int:
        """Return the number of the newest change."""
        return self._books[coin].last

    def stamp(self, coin: str) -> int:
        """Return a number for a snapshot, so that the next update spans it, as the venue's do."""
        told = self._books[coin]
        told.last += 1
        if told.followed:
            # What appears in a snapshot and is gone before the next update must be told as gone all the same.
            view = self._exchange.book(coin, None)
            told.touched_bids |= _differing(told.bids, _levels(view.bids))
            told.touched_asks |= _differing(told.asks, _levels(view.asks))
        return told.last

    def follow(self, coin: str) -> None:
        """Begin to tell differences, if nobody was told any so far."""
        told = self._books[coin]
        if not told.followed:
            view = self._exchange.book(coin, None)
            told.bids, told.asks, told.followed = _levels(view.bids), _levels(view.asks), True
            told.touched_bids, told.touched_asks = set(), set()
            told.told = told.last

    def forget(self, coin: str) -> None:
        """Stop: nobody listens any more."""
        told = self._books[coin]
        told.followed = False
        told.bids, told.asks = {}, {}

    def difference(self, coin: str, now_ms: int) -> Json | None:
        """Return the update since the last one, None when nothing has changed."""
        told = self._books[coin]
        if told.last == told.told:
            return None
        view = self._exchange.book(coin, None)
        bids, asks, spec = _levels(view.bids), _levels(view.asks), self._specs[coin]
        message = {
            "e": "depthUpdate",
            "E": now_ms,
            "T": view.time_ms,
            "s": symbol_of(coin),
            "U": told.told + 1,
            "u": told.last,
            "pu": told.told,
            "b": _changes(bids, told.touched_bids | _differing(told.bids, bids), spec),
            "a": _changes(asks, told.touched_asks | _differing(told.asks, asks), spec),
        }
        told.touched_bids, told.touched_asks = set(), set()
        told.bids, told.asks, told.told = bids, asks, told.last
        return message

    def top(self, coin: str, depth: int, now_ms: int) -> Json:
        """Return the message of a partial book stream: the best `depth` prices, in full."""
        view: BookView = self._exchange.book(coin, depth)
        told, spec = self._books[coin], self._specs[coin]
        numbers = {"U": told.last, "u": told.last, "pu": told.last - 1}
        sides = {
            name: [[price(spec, level.price), text(level.size)] for level in side]
            for name, side in (("b", view.bids), ("a", view.asks))
        }
        head = {"e": "depthUpdate", "E": now_ms, "T": view.time_ms, "s": symbol_of(coin)}
        return {**head, **numbers, **sides}

    def _on_event(self, event: Event) -> None:
        if isinstance(event, BookChanged) and event.coin in self._books:
            self._books[event.coin].last += 1


def _levels(side: tuple[LevelView, ...]) -> _Side:
    return {level.price: level.size for level in side}


def _differing(old: _Side, new: _Side) -> set[Decimal]:
    return {px for px in old.keys() | new.keys() if old.get(px) != new.get(px)}


def _changes(new: _Side, prices: set[Decimal], spec: InstrumentSpec) -> list[list[str]]:
    return [[price(spec, px), text(new[px]) if px in new else "0"] for px in sorted(prices)]
