from datetime import UTC, datetime, timedelta

import msgspec
import pytest
import redis

from apps.exchanges.market_data.cache import BAR_EVENTS_KEPT, EVENTS_KEY, TRADES_KEPT, TRADES_KEY, MarketWriter
from moondev.domain.errors import Connectivity
from moondev.domain.market_data import TradeTick
from moondev.domain.values import Side

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class AwayRedis:
    """A Redis that takes nothing while it is away, and remembers what it was given afterwards."""

    def __init__(self) -> None:
        self.away = True
        self.events: list[dict[str, str]] = []
        self.trades: list[TradeTick] = []
        self._pending: list[dict[str, str]] = []

    def pipeline(self, *, transaction: bool) -> "AwayRedis":
        self._pending = []
        return self

    def execute_command(self, name: str, key: str, *rest: str) -> None:
        if name == "XADD" and key == EVENTS_KEY:
            fields = rest[4:]
            self._pending.append(dict(zip(fields[::2], fields[1::2], strict=True)))
        elif name == "XADD" and key == TRADES_KEY:
            self.trades += msgspec.msgpack.decode(rest[-1], type=list[TradeTick])

    def execute(self) -> None:
        if self.away:
            raise redis.ConnectionError("away")
        self.events += self._pending


@pytest.fixture
def server() -> AwayRedis:
    return AwayRedis()


@pytest.fixture
def writer(server: AwayRedis) -> MarketWriter:
    return MarketWriter(server)  # type: ignore[arg-type]


def tell(writer: MarketWriter, kind: str, number: int) -> None:
    interval = timedelta(minutes=1) if kind == "bar" else None
    writer.event(kind, "hyperliquid:BTC", f"{kind}:{number}", NOW, interval)


def test_the_news_of_a_closed_bar_survives_a_redis_that_is_away(writer: MarketWriter, server: AwayRedis) -> None:
    for kind in ("bar", "book", "fill"):
        tell(writer, kind, 1)
    with pytest.raises(Connectivity):
        writer.flush()
    server.away = False
    assert writer.dirty
    writer.flush()
    writer.flush()
    assert [event["id"] for event in server.events] == ["bar:1"]


def test_only_so_much_news_is_kept(writer: MarketWriter, server: AwayRedis) -> None:
    for number in range(BAR_EVENTS_KEPT + 5):
        tell(writer, "bar", number)
    with pytest.raises(Connectivity):
        writer.flush()
    server.away = False
    writer.flush()
    assert len(server.events) == BAR_EVENTS_KEPT
    assert server.events[-1]["id"] == f"bar:{BAR_EVENTS_KEPT + 4}"


def tick(number: int) -> TradeTick:
    return TradeTick("BTC", str(number), Side.BUY, 100.0, 1.0, NOW, NOW)


def test_every_trade_reaches_redis_once_also_over_an_outage(writer: MarketWriter, server: AwayRedis) -> None:
    server.away = False
    writer.trades([tick(1), tick(2)])
    batch = writer.take()
    assert not writer.dirty
    writer.trades([tick(3)])
    writer.put_back(batch)
    writer.flush()
    assert server.trades == [tick(1), tick(2), tick(3)]


def test_only_so_many_trades_wait_and_what_is_lost_is_counted(writer: MarketWriter) -> None:
    writer.trades([tick(number) for number in range(TRADES_KEPT + 7)])
    writer.put_back(writer.take())
    assert writer.trades_lost == 7
    assert len(writer.take().trades) == TRADES_KEPT
