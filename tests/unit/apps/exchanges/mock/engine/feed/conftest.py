from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from apps.exchanges.mock.engine.api import NewOrder, Tif
from apps.exchanges.mock.engine.events import Event
from apps.exchanges.mock.engine.exchange import Exchange
from apps.exchanges.mock.engine.feed import Setup
from moondev.domain.clock import FixedClock

D = Decimal
NOON = datetime(2026, 3, 2, 12, 0, 30, tzinfo=UTC)
SHARED = Path(__file__).parents[8] / "shared" / "data"


class Session:
    """An exchange fed by `setup` on a fixed clock, with one account."""

    def __init__(self, setup: Setup, now: datetime | None = None) -> None:
        self.clock = FixedClock(now or setup.start or NOON)
        self.exchange = Exchange(setup.specs, self.clock, setup.marks)
        self.exchange.open_account("ann", D(10_000_000))
        self.events: list[Event] = []
        self.exchange.subscribe(self.events.append)
        self.coin = setup.specs[0].coin
        self.exchange.attach(setup.feed)

    def run(self, seconds: float, step_ms: int = 20) -> None:
        for _ in range(round(seconds * 1_000 / step_ms)):
            self.clock.advance(timedelta(milliseconds=step_ms))
            self.exchange.tick(self.clock.now())

    def place(self, side: str, size: object, price: object, tif: Tif = Tif.GTC) -> Any:
        return self.exchange.place("ann", [NewOrder(self.coin, side == "buy", D(str(size)), D(str(price)), tif)])[0]

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    def touch(self) -> tuple[Decimal, Decimal]:
        book = self.exchange.book(self.coin, 1)
        return book.bids[0].price, book.asks[0].price


@pytest.fixture
def session() -> Callable[..., Session]:
    return Session


@pytest.fixture
def parquet(tmp_path: Path) -> Callable[..., Path]:
    def write(name: str, **columns: list[Any]) -> Path:
        path = tmp_path / name
        pq.write_table(pa.table(columns), path)
        return path

    return write


@pytest.fixture
def recorded_data() -> Path:
    if not SHARED.is_dir():
        pytest.skip(f"no recorded market data beside the project ({SHARED.name} is absent)")
    return SHARED
