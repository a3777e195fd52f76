"""The shapes of Binance's stream messages, as far as we read them; the venue's single letters get names here."""

from __future__ import annotations

from msgspec import Struct, field

from apps.exchanges.venues.binance.messages import ErrorBody, SideWord


class Told(Struct):
    """What every message of a stream is told apart by: an event, an answer, or a refusal."""

    event: str | None = field(name="e", default=None)
    id: int | None = None
    error: ErrorBody | None = None


class DepthEvent(Struct):
    """`depthUpdate`: the changes after `previous`, up to and including `last`."""

    symbol: str = field(name="s")
    time: int = field(name="T")
    first: int = field(name="U")
    last: int = field(name="u")
    previous: int = field(name="pu")
    bids: list[tuple[str, str]] = field(name="b")
    asks: list[tuple[str, str]] = field(name="a")


class QuoteEvent(Struct):
    """`bookTicker`."""

    symbol: str = field(name="s")
    time: int = field(name="T")
    bid: str = field(name="b")
    bid_size: str = field(name="B")
    ask: str = field(name="a")
    ask_size: str = field(name="A")


class TradeEvent(Struct):
    """`aggTrade`; `buyer_made` tells that the buyer was the maker, so the aggressor sold."""

    symbol: str = field(name="s")
    number: int = field(name="a")
    price: str = field(name="p")
    size: str = field(name="q")
    time: int = field(name="T")
    buyer_made: bool = field(name="m")


class Bar(Struct):
    """The bar inside a `kline` event."""

    opened_ms: int = field(name="t")
    interval: str = field(name="i")
    open: str = field(name="o")
    close: str = field(name="c")
    high: str = field(name="h")
    low: str = field(name="l")
    volume: str = field(name="v")
    closed: bool = field(name="x")


class BarEvent(Struct):
    """`kline`."""

    symbol: str = field(name="s")
    bar: Bar = field(name="k")


class MarkEvent(Struct):
    """`markPriceUpdate`; `rate` is for the whole funding interval."""

    symbol: str = field(name="s")
    mark: str = field(name="p")
    index: str = field(name="i")
    rate: str = field(name="r")


class OrderNews(Struct):
    """The order inside an `ORDER_TRADE_UPDATE`. The last trade's fields say nothing unless `execution` is one."""

    symbol: str = field(name="s")
    client_id: str = field(name="c")
    side: SideWord = field(name="S")
    quantity: str = field(name="q")
    execution: str = field(name="x")
    status: str = field(name="X")
    order_id: int = field(name="i")
    filled: str = field(name="z")
    time: int = field(name="T")
    trade_id: int = field(name="t")
    last_size: str = field(name="l")
    last_price: str = field(name="L")
    maker: bool = field(name="m")
    fee: str | None = field(name="n", default=None)
    fee_asset: str | None = field(name="N", default=None)
    algo_id: int = field(name="si", default=0)


class OrderEvent(Struct):
    """`ORDER_TRADE_UPDATE`."""

    order: OrderNews = field(name="o")


class AlgoNews(Struct):
    """The order inside an `ALGO_UPDATE`."""

    client_id: str = field(name="caid")
    algo_id: int = field(name="aid")
    symbol: str = field(name="s")
    status: str = field(name="X")
    order_id: str = field(name="ai", default="")
    reason: str = field(name="rm", default="")


class AlgoEvent(Struct):
    """`ALGO_UPDATE`."""

    time: int = field(name="T")
    order: AlgoNews = field(name="o")


class BalanceItem(Struct):
    """One currency in an `ACCOUNT_UPDATE`."""

    asset: str = field(name="a")
    wallet: str = field(name="wb")


class PositionItem(Struct):
    """One position in an `ACCOUNT_UPDATE`."""

    symbol: str = field(name="s")
    amount: str = field(name="pa")
    side: str = field(name="ps")


class AccountChange(Struct):
    """What an `ACCOUNT_UPDATE` is about."""

    balances: list[BalanceItem] = field(name="B", default_factory=list)
    positions: list[PositionItem] = field(name="P", default_factory=list)


class AccountEvent(Struct):
    """`ACCOUNT_UPDATE`."""

    time: int = field(name="T")
    change: AccountChange = field(name="a")
