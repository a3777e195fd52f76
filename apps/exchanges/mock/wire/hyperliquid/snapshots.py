"""What a stream says: first, when it is subscribed to, and then."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

from apps.exchanges.mock.engine.api import Candle, Fill, FundingPayment, OrderSnapshot
from apps.exchanges.mock.engine.bars import INTERVALS
from apps.exchanges.mock.engine.events import Liquidated
from apps.exchanges.mock.wire.hyperliquid import spot, views, views_account
from apps.exchanges.mock.wire.hyperliquid.info import Info
from apps.exchanges.mock.wire.hyperliquid.info_account import MOST_FILLS, aggregated
from apps.exchanges.mock.wire.hyperliquid.subscriptions import Topic
from apps.exchanges.mock.wire.hyperliquid.venue import Venue

Messages: TypeAlias = Iterator[tuple[str, object]]
_RECENT_TRADES = 10


class Snapshots:
    """Builds the messages of every stream as pairs of channel and data."""

    def __init__(self, venue: Venue, info: Info) -> None:
        """Read from `venue` and its info answers."""
        self._venue = venue
        self._info = info
        self._latest: Mapping[str, Callable[[Topic], Messages]] = {
            "allMids": self._mids,
            "l2Book": self._book,
            "bbo": self._best,
            "candle": self._candle,
            "activeAssetCtx": self._context,
            "activeAssetData": self._active_data,
            "webData2": self._web_data,
            "clearinghouseState": self._state,
            "spotState": self._spot_state,
            "openOrders": self._open_orders,
        }
        self._first: Mapping[str, Callable[[Topic], Messages]] = {
            **self._latest,
            "trades": self._recent_trades,
            "userFills": self._all_fills,
            "userFundings": self._all_funding,
            "userNonFundingLedgerUpdates": self._all_ledger,
        }
        self._increments: Mapping[str, Callable[[Topic, list[Any]], Messages]] = {
            "orderUpdates": lambda _, items: iter([("orderUpdates", items)]),
            "trades": lambda _, items: iter([("trades", items)]),
            "userFills": self._new_fills,
            "userEvents": self._user_events,
            "userFundings": self._new_funding,
            "userNonFundingLedgerUpdates": self._new_ledger,
            "candle": self._closed_bars,
        }

    def first(self, topic: Topic) -> Messages:
        """Yield what a new subscriber gets at once; nothing for orderUpdates and userEvents, as at the venue."""
        make = self._first.get(topic.kind)
        return iter(()) if make is None else make(topic)

    def latest(self, topic: Topic) -> Messages:
        """Yield the present state of a stream of states."""
        return self._latest[topic.kind](topic)

    def increments(self, topic: Topic, items: list[Any]) -> Messages:
        """Yield the messages that carry `items`, which the hub collected for `topic`."""
        return self._increments[topic.kind](topic, items)

    def _mids(self, _: Topic) -> Messages:
        yield "allMids", {"mids": self._info.market.mids({})}

    def _book(self, topic: Topic) -> Messages:
        request = {"coin": topic.coin, "nSigFigs": topic.figures, "mantissa": topic.mantissa}
        yield "l2Book", self._info.market.book(request)

    def _best(self, topic: Topic) -> Messages:
        yield "bbo", views.best(self._venue.exchange.book(topic.coin, 1))

    def _candle(self, topic: Topic) -> Messages:
        now = self._venue.now_ms()
        bars = self._venue.exchange.candles(topic.coin, topic.interval, now - INTERVALS[topic.interval], now)
        if bars:
            yield "candle", views.candle(bars[-1])

    def _context(self, topic: Topic) -> Messages:
        context = self._venue.exchange.asset_context(topic.coin)
        if topic.coin in self._venue.pairs:
            yield "activeSpotAssetCtx", {"coin": topic.coin, "ctx": spot.context(context)}
        else:
            yield "activeAssetCtx", {"coin": topic.coin, "ctx": views.asset_context(context)}

    def _active_data(self, topic: Topic) -> Messages:
        data = self._info.account.active_asset(topic.user, topic.coin)
        if data is not None:
            yield "activeAssetData", data

    def _web_data(self, topic: Topic) -> Messages:
        yield "webData2", self._info.web_data(topic.user)

    def _state(self, topic: Topic) -> Messages:
        state = self._info.account.state(topic.user)
        yield "clearinghouseState", {"dex": "", "user": topic.user, "clearinghouseState": state}

    def _spot_state(self, topic: Topic) -> Messages:
        yield "spotState", {"user": topic.user, "spotState": self._info.account.spot_state(topic.user)}

    def _open_orders(self, topic: Topic) -> Messages:
        yield "openOrders", {"dex": "", "user": topic.user, "orders": self._info.account.frontend_orders(topic.user)}

    def _recent_trades(self, topic: Topic) -> Messages:
        trades = self._venue.exchange.trades(topic.coin, _RECENT_TRADES)
        if trades:
            yield "trades", [views.public_trade(trade) for trade in trades]

    def _all_fills(self, topic: Topic) -> Messages:
        fills = self._info.account.fills(topic.user)
        newest = (aggregated(fills) if topic.aggregate else fills)[-MOST_FILLS:]
        yield "userFills", {"isSnapshot": True, "user": topic.user, "fills": _fill_rows(topic, newest[::-1])}

    def _new_fills(self, topic: Topic, items: list[Fill]) -> Messages:
        rows = _fill_rows(topic, aggregated(items) if topic.aggregate else items)
        yield "userFills", {"user": topic.user, "fills": rows}

    def _user_events(self, topic: Topic, items: list[Fill | FundingPayment | OrderSnapshot | Liquidated]) -> Messages:
        fills = [item for item in items if isinstance(item, Fill)]
        if fills:
            yield "user", {"fills": _fill_rows(topic, fills)}
        cancelled = [{"coin": item.coin, "oid": item.oid} for item in items if isinstance(item, OrderSnapshot)]
        if cancelled:
            yield "user", {"nonUserCancel": cancelled}
        for item in items:
            if isinstance(item, FundingPayment):
                yield "user", {"funding": views_account.funding_event(item)}
            if isinstance(item, Liquidated):
                yield "user", {"liquidation": views_account.liquidation_event(item)}

    def _all_funding(self, topic: Topic) -> Messages:
        payments = []
        if self._venue.has_account(topic.user):
            payments = self._venue.exchange.funding_payments(topic.user)
        rows = [views_account.funding_event(payment) for payment in payments]
        yield "userFundings", {"isSnapshot": True, "user": topic.user, "fundings": rows}

    def _new_funding(self, topic: Topic, items: list[FundingPayment]) -> Messages:
        rows = [views_account.funding_event(payment) for payment in items]
        yield "userFundings", {"user": topic.user, "fundings": rows}

    def _all_ledger(self, topic: Topic) -> Messages:
        rows = self._info.account.ledger(topic.user)
        data = {"isSnapshot": True, "user": topic.user, "nonFundingLedgerUpdates": rows}
        yield "userNonFundingLedgerUpdates", data

    def _new_ledger(self, topic: Topic, items: list[Any]) -> Messages:
        yield "userNonFundingLedgerUpdates", {"user": topic.user, "nonFundingLedgerUpdates": items}

    def _closed_bars(self, _: Topic, items: list[Candle]) -> Messages:
        for bar in items:
            yield "candle", views.candle(bar)


def _fill_rows(topic: Topic, fills: list[Fill]) -> list[views.Json]:
    return [views.user_fill(fill, topic.user) for fill in fills]
