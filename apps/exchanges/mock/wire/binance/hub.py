"""The public streams: trades and closed bars at once, books, marks and bars in progress at their latest.

https://developers.binance.com/docs/derivatives/usds-margined-futures/websocket-market-streams
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import orjson

from apps.exchanges.mock.engine.api import Candle, Trade
from apps.exchanges.mock.engine.bars import interval_ms
from apps.exchanges.mock.engine.events import BarClosed, BarUpdated, BookChanged, Event, TradePrinted
from apps.exchanges.mock.wire.binance.books import Books
from apps.exchanges.mock.wire.binance.public import Public, next_funding_ms
from apps.exchanges.mock.wire.binance.venue import Venue
from apps.exchanges.mock.wire.binance.words import INTERVALS, money, price, symbol_of, text
from apps.exchanges.mock.wire.port import Json
from apps.exchanges.mock.wire.topics import TopicLine, Topics

# Streams that are worth only their latest state, and how often (s) they are told; 0: with every push.
_PACE: Mapping[str, float] = MappingProxyType(
    {"depth": 0.0, "bookTicker": 0.0, "kline": 0.25, "markPrice": 1.0, "miniTicker": 0.5, "ticker": 1.0}
)
_ALL = {"!bookTicker": "bookTicker", "!markPrice@arr": "markPrice", "!ticker@arr": "ticker"}
_ALL |= {"!miniTicker@arr": "miniTicker"}


class StreamLine(TopicLine):
    """A client; `combined` tells whether its messages are wrapped with the stream's name."""

    combined = False


class Hub:
    """All public subscriptions of one venue, and the private ones' topics. Topics are the venue's stream names."""

    def __init__(self, venue: Venue, public: Public, books: Books) -> None:
        """Listen to the engine of `venue`."""
        self.raw, self.combined = Topics(), Topics()
        self.private = Topics()
        self._venue, self._public, self._books = venue, public, books
        self._changed: set[tuple[str, str]] = set()
        self._due: dict[str, float] = {}
        self._makers: Mapping[str, Callable[[str, str], Json | None]] = {
            "bookTicker": lambda coin, _: self._best_quote(coin),
            "markPrice": lambda coin, _: self._mark(coin),
            "miniTicker": lambda coin, _: self._mini_ticker(coin),
            "ticker": lambda coin, _: self._ticker(coin),
            "kline": self._bar,
        }
        venue.exchange.subscribe(self._on_event)

    def join(self, line: StreamLine, stream: str) -> None:
        """Send `stream` (or the account of a listen key) to `line`; unknown names are taken and stay silent."""
        if stream in self._venue.listen_keys:
            self.private.join(line, stream)
            return
        coin = self._venue.coins.get(stream.partition("@")[0].upper())
        if coin is not None and "@depth" in stream:
            self._books.follow(coin)
        (self.combined if line.combined else self.raw).join(line, stream)

    def leave(self, line: StreamLine, stream: str) -> None:
        """Stop sending `stream` to `line`."""
        for topics in (self.private, self.combined, self.raw):
            topics.leave(line, stream)
        coin = self._venue.coins.get(stream.partition("@")[0].upper())
        if coin is not None and "@depth" in stream and not self._follows(coin):
            self._books.forget(coin)

    def forget(self, line: StreamLine) -> None:
        """Drop a client that is gone."""
        for stream in tuple(line.topics):
            self.leave(line, stream)

    def push_latest(self, now: float) -> None:
        """Send what changed and is due at `now` (monotonic seconds)."""
        changed, self._changed = self._changed, set()
        due = {kind for kind, pace in _PACE.items() if now >= self._due.get(kind, 0.0) or not pace}
        self._due |= {kind: now + _PACE[kind] for kind in due}
        by_coin: dict[str, list[str]] = {}
        for stream in {*self.raw, *self.combined}:
            if stream.startswith("!"):
                self._push_all(stream, due)
                continue
            coin = self._venue.coins.get(stream.partition("@")[0].upper())
            if coin is not None:
                by_coin.setdefault(coin, []).append(stream)
        for coin, streams in by_coin.items():
            self._push_coin(coin, streams, due, changed)
        # What was not due stays changed.
        self._changed |= {(kind, coin) for kind, coin in changed if kind == "kline" and "kline" not in due}

    def _push_coin(self, coin: str, streams: list[str], due: set[str], changed: set[tuple[str, str]]) -> None:
        depth = [stream for stream in streams if "@depth" in stream]
        if depth and ("book", coin) in changed:
            self._push_depth(coin, depth)
        for stream in streams:
            kind, _, argument = stream.partition("@")[2].partition("@")[0].partition("_")
            maker = self._makers.get(kind)
            source = {"bookTicker": "book", "kline": "kline"}.get(kind)
            if maker is None or kind not in due or (source is not None and (source, coin) not in changed):
                continue
            message = maker(coin, argument)
            if message is not None:
                self._send(stream, message, kind)

    def _push_depth(self, coin: str, streams: list[str]) -> None:
        now = self._venue.now_ms()
        update = None
        for stream in streams:
            levels = stream.partition("@depth")[2].partition("@")[0]
            if levels.isdecimal():
                self._send(stream, self._books.top(coin, int(levels), now), "depth")
                continue
            update = update or self._books.difference(coin, now)
            if update is not None:
                self._send(stream, update, "depth")

    def _push_all(self, stream: str, due: set[str]) -> None:
        kind = next((kind for name, kind in _ALL.items() if stream.startswith(name)), None)
        if kind is None or kind not in due:
            return
        rows = [row for coin in self._venue.specs if (row := self._makers[kind](coin, "")) is not None]
        if stream.startswith("!bookTicker"):
            for row in rows:
                self._send(stream, row, kind)
        else:
            self._send(stream, rows, kind)

    def _send(self, stream: str, data: Json | list[Json], kind: str) -> None:
        if stream in self.raw:
            self.raw.send(stream, orjson.dumps(data), kind)
        if stream in self.combined:
            self.combined.send(stream, orjson.dumps({"stream": stream, "data": data}), kind)

    def _follows(self, coin: str) -> bool:
        start = f"{symbol_of(coin).lower()}@depth"
        return any(stream.startswith(start) for stream in (*self.raw, *self.combined))

    def _heard(self, stream: str) -> bool:
        return stream in self.raw or stream in self.combined

    def _on_event(self, event: Event) -> None:
        if isinstance(event, BookChanged):
            self._changed.add(("book", event.coin))
        elif isinstance(event, BarUpdated):
            self._changed.add(("kline", event.coin))
        elif isinstance(event, TradePrinted) and event.trade.coin in self._venue.specs:
            self._on_trade(event.trade)
        elif isinstance(event, BarClosed) and event.candle.coin in self._venue.specs:
            candle = event.candle
            stream = f"{symbol_of(candle.coin).lower()}@kline_{candle.interval}"
            if self._heard(stream):
                self._send(stream, self._kline(candle, closed=True), "kline")

    def _on_trade(self, trade: Trade) -> None:
        symbol, spec = symbol_of(trade.coin), self._venue.specs[trade.coin]
        head = {"E": self._venue.now_ms(), "s": symbol}
        body = {"p": price(spec, trade.price), "q": text(trade.size), "T": trade.time_ms, "m": not trade.is_buy}
        if self._heard(stream := f"{symbol.lower()}@aggTrade"):
            ids = {"a": trade.tid, "f": trade.tid, "l": trade.tid, "nq": text(trade.size)}
            self._send(stream, {"e": "aggTrade", **head, **ids, **body}, "aggTrade")
        if self._heard(stream := f"{symbol.lower()}@trade"):
            self._send(stream, {"e": "trade", **head, "t": trade.tid, **body, "X": "MARKET"}, "trade")

    def _best_quote(self, coin: str) -> Json:
        row = self._public.best_quote(coin)
        quotes = {"b": row["bidPrice"], "B": row["bidQty"], "a": row["askPrice"], "A": row["askQty"]}
        times = {"E": row["time"], "T": row["time"]}
        return {"e": "bookTicker", "u": row["lastUpdateId"], **times, "s": row["symbol"], **quotes}

    def _mark(self, coin: str) -> Json:
        context, now = self._venue.exchange.asset_context(coin), self._venue.now_ms()
        return {
            "e": "markPriceUpdate",
            "E": now,
            "s": symbol_of(coin),
            "p": money(context.mark),
            "ap": money(context.mark),
            "i": money(context.oracle),
            "P": money(context.oracle),
            "r": f"{context.funding:f}",
            "T": next_funding_ms(now),
        }

    def _day(self, coin: str) -> Json:
        row = self._public.day(coin)
        return {
            "E": self._venue.now_ms(),
            "s": row["symbol"],
            "c": row["lastPrice"],
            "o": row["openPrice"],
            "h": row["highPrice"],
            "l": row["lowPrice"],
            "v": row["volume"],
            "q": row["quoteVolume"],
        }

    def _mini_ticker(self, coin: str) -> Json:
        return {"e": "24hrMiniTicker", **self._day(coin)}

    def _ticker(self, coin: str) -> Json:
        row = self._public.day(coin)
        more = {"p": row["priceChange"], "P": row["priceChangePercent"], "w": row["weightedAvgPrice"]}
        more |= {"Q": row["lastQty"], "O": row["openTime"], "C": row["closeTime"]}
        more |= {"F": row["firstId"], "L": row["lastId"], "n": row["count"]}
        return {"e": "24hrTicker", **self._day(coin), **more}

    def _bar(self, coin: str, interval: str) -> Json | None:
        if interval not in INTERVALS:
            return None
        now = self._venue.now_ms()
        bars = self._venue.exchange.candles(coin, interval, now - interval_ms(interval), now)
        return self._kline(bars[-1], closed=False) if bars else None

    def _kline(self, candle: Candle, *, closed: bool) -> Json:
        half = candle.volume / 2
        body = {
            "t": candle.open_ms,
            "T": candle.close_ms,
            "s": symbol_of(candle.coin),
            "i": candle.interval,
            "f": -1,
            "L": -1,
            "o": text(candle.open),
            "c": text(candle.close),
            "h": text(candle.high),
            "l": text(candle.low),
            "v": text(candle.volume),
            "n": candle.trades,
            "x": closed,
            "q": money(candle.volume * candle.close),
            "V": text(half),
            "Q": money(half * candle.close),
            "B": "0",
        }
        return {"e": "kline", "E": self._venue.now_ms(), "s": symbol_of(candle.coin), "k": body}
