from datetime import UTC, datetime, timedelta

import pytest
import redis

from apps.exchanges.market_data.cache import BAR_EVENTS_KEPT, MarketWriter
from moondev.domain.errors import Connectivity

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class AwayRedis:
    """A Redis that takes nothing while it is away, and remembers what it was given afterwards."""

    def __init__(self) -> None:
        self.away = True
        self.events: list[dict[str, str]] = []
        self._pending: list[dict[str, str]] = []

    def pipeline(self, *, transaction: bool) -> "AwayRedis":
        self._pending = []
        return self

    def mset(self, blocks: dict[str, bytes]) -> None:
        """Take no notice: blocks are not what is tested here."""

    def xadd(self, key: str, event: dict[str, str], **options: object) -> None:
        self._pending.append(event)

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
