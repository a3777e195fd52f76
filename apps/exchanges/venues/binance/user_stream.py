"""One Binance account's stream as domain events: orders, fills, positions, balances.

https://developers.binance.com/docs/derivatives/usds-margined-futures/user-data-streams
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any

from apps.exchanges.adapters import Tools
from apps.exchanges.ports import (
    BalanceBatch,
    BalanceNews,
    Credentials,
    OrderBatch,
    PositionBatch,
    PositionNews,
    ReportSource,
    UserEvent,
    UserHandler,
    VenueConfig,
)
from apps.exchanges.venues.binance import parse
from apps.exchanges.venues.binance.config import QUOTE_CURRENCY, endpoints
from apps.exchanges.venues.binance.dialects import Reader, StreamDialect
from apps.exchanges.venues.binance.listen_key import ListenKey
from apps.exchanges.venues.binance.rest import Rest
from apps.exchanges.venues.binance.stream_messages import AccountEvent, AlgoEvent, OrderEvent, OrderNews, Told
from apps.exchanges.venues.binance.together import run_beside
from apps.exchanges.venues.ccxt_generic.credentials import read_api_key
from apps.exchanges.venues.message_stream import MessageStream
from apps.exchanges.venues.websocket import ConnectionSpent, Patience, ReconnectingWebsocket
from moondev.domain.clock import from_milliseconds
from moondev.domain.fills import FillKind, FillReport, Liquidity
from moondev.domain.orders import OrderReport, OrderStatus
from moondev.domain.values import Money, Price, Quantity, SignedQuantity

logger = logging.getLogger(__name__)

PRIVATE = "/private/ws"
# Told for those who want less, for people, and for services we do not use.
_SILENT = frozenset(
    {"TRADE_LITE", "ACCOUNT_CONFIG_UPDATE", "STRATEGY_UPDATE", "GRID_UPDATE", "CONDITIONAL_ORDER_TRIGGER_REJECT"}
)
_TRADES = frozenset({"TRADE", "CALCULATED"})
# The client order ids of orders that the venue itself sends for the account.
_LIQUIDATES, _DELEVERAGES = "autoclose-", "adl_autoclose"
_ONE_WAY = "BOTH"


class UserStream(MessageStream):
    """A `Stream` of one account, whose address is a key that must be kept."""

    def __init__(self, dialect: StreamDialect, websocket: ReconnectingWebsocket, key: ListenKey) -> None:
        """Keep `key` while `websocket` runs."""
        super().__init__(dialect, websocket)
        self._key = key

    async def run(self) -> None:
        """Stream until cancelled or stopped. Raises what the handler raised."""
        keep: Callable[[], Any] = partial(self._key.keep, self._websocket.renew)
        await run_beside([self._websocket.run], [keep])


def user_stream(
    venue: VenueConfig,
    credentials: Credentials,
    handler: UserHandler,
    tools: Tools,
    patience: Patience | None = None,
) -> UserStream:
    """Return the stream of one account. Raises Configuration for bad addresses or keys."""
    where = endpoints(venue)
    key = ListenKey(
        Rest(where, tools, read_api_key(credentials.signer_key)), tools.clock, where.websocket_url + PRIVATE
    )
    readers: Mapping[str, tuple[Any, Reader]] = {
        "ORDER_TRADE_UPDATE": (OrderEvent, _order),
        "ALGO_UPDATE": (AlgoEvent, _algo),
        "ACCOUNT_UPDATE": (AccountEvent, _account),
        "MARGIN_CALL": (Told, _margin_call),
        "listenKeyExpired": (Told, _expired),
    }
    dialect = StreamDialect((), readers, handler, _SILENT)
    return UserStream(dialect, ReconnectingWebsocket(key.address, dialect, handler, tools.clock, patience), key)


def _order(event: OrderEvent, received: datetime) -> Iterable[UserEvent]:
    """Return what became of an ordinary order, with the trade that did it."""
    news = event.order
    found = parse.status(news.status)
    fills = (_fill(news, received),) if news.execution in _TRADES else ()
    quiet = found in {OrderStatus.OPEN, OrderStatus.PARTIALLY_FILLED, OrderStatus.FILLED}
    report = OrderReport(
        source=ReportSource.STREAM,
        client_order_id=parse.client_order_id(news.client_id),
        venue_order_id=str(news.order_id),
        status=found,
        time_exchange=from_milliseconds(news.time),
        time_received=received,
        fills=fills,
        filled_quantity=Quantity(parse.number("z", news.filled)),
        reason="" if quiet else news.status,
    )
    return (OrderBatch((report,)),)


def _fill(news: OrderNews, received: datetime) -> FillReport:
    fee = Decimal(0) if news.fee is None else parse.number("n", news.fee)
    return FillReport(
        venue_trade_id=parse.trade_id(news.symbol, news.order_id, news.trade_id),
        venue_order_id=str(news.order_id),
        client_order_id=parse.client_order_id(news.client_id),
        symbol=news.symbol,
        side=parse.side(news.side),
        price=Price(parse.number("L", news.last_price)),
        quantity=Quantity(parse.number("l", news.last_size)),
        fee=Money(fee, news.fee_asset or QUOTE_CURRENCY),
        liquidity=Liquidity.MAKER if news.maker else Liquidity.TAKER,
        time_exchange=from_milliseconds(news.time),
        time_received=received,
        kind=_kind(news),
    )


def _kind(news: OrderNews) -> FillKind:
    if news.client_id.startswith(_DELEVERAGES):
        return FillKind.DELEVERAGING
    if news.execution == "CALCULATED" or news.client_id.startswith(_LIQUIDATES):
        return FillKind.LIQUIDATION
    return FillKind.ORDER


def _algo(event: AlgoEvent, received: datetime) -> Iterable[UserEvent]:
    """Return what became of a conditional order.

    Once it is released, news of the ordinary order says how it goes on: here only under which id.
    """
    news = event.order
    name = parse.client_order_id(news.client_id)
    released = news.status in parse.ALGO_RELEASED
    if released and (name is None or not news.order_id or news.status == "FINISHED"):
        return ()
    found = None if released else parse.algo_status(news.status)
    strange = None if name is not None else f"{parse.ALGO}{news.algo_id}"
    report = OrderReport(
        source=ReportSource.STREAM,
        client_order_id=name,
        venue_order_id=news.order_id if released else strange,
        status=found,
        time_exchange=from_milliseconds(event.time),
        time_received=received,
        filled_quantity=None if released else parse.ZERO_FILLED,
        reason="" if released or found is OrderStatus.OPEN else (news.reason or news.status),
        triggered=released,
    )
    return (OrderBatch((report,)),)


def _account(event: AccountEvent, received: datetime) -> Iterable[UserEvent]:
    """Return positions and balances that changed. Of funding the venue says here only the sum, so it is asked for."""
    at = from_milliseconds(event.time)
    positions = tuple(
        PositionNews(item.symbol, SignedQuantity(parse.number("pa", item.amount)), at, received)
        for item in event.change.positions
        if item.side == _ONE_WAY
    )
    balances = tuple(
        BalanceNews(item.asset, parse.number("wb", item.wallet), at, received) for item in event.change.balances
    )
    news: list[UserEvent] = []
    if positions:
        news.append(PositionBatch(positions, snapshot=False))
    if balances:
        news.append(BalanceBatch(balances))
    return news


def _margin_call(_: Told, __: datetime) -> Iterable[UserEvent]:
    logger.error("the venue warns that margin runs out")
    return ()


def _expired(_: Told, __: datetime) -> Iterable[UserEvent]:
    # The venue stays connected and silent: the next connection asks for another key.
    raise ConnectionSpent("the listen key expired")
