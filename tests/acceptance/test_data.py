"""Prices that are no numbers, in the cache or in what the venue says: nobody trades on them, nobody else is harmed."""

import numpy as np
import pytest

from apps.exchanges.market_data.cache import bars_key, redis_client, state_key
from apps.exchanges.market_data.codec import StoredState
from moondev.domain.clock import milliseconds, process_clock

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]
NAN, INFINITE = float("nan"), float("inf")
SYMBOL = "ETH"


def write_raw(state: StoredState, blocks: dict[int, bytes] | None = None) -> None:
    """Write market data past every check, as a broken writer would."""
    import msgspec

    client = redis_client()
    try:
        client.set(state_key(f"hyperliquid:{SYMBOL}"), msgspec.msgpack.encode(state))
        for seconds, block in (blocks or {}).items():
            client.set(bars_key(f"hyperliquid:{SYMBOL}", seconds), block)
    finally:
        client.close()


def book(bid: float, ask: float) -> StoredState:
    now = float(milliseconds(process_clock().now()))
    return StoredState(
        bids=[(bid, 1.0)], asks=[(ask, 1.0)], book_exchange_ms=now, book_received_ms=now, mark=NAN, mark_received_ms=0
    )


def bars(close: float) -> bytes:
    """Return five bars of a minute, the newest with a close of our choice."""
    now = milliseconds(process_clock().now()) // 60_000 * 60_000
    opened = np.array([now - 60_000 * n for n in range(5, 0, -1)], dtype=np.int64)
    flat = np.full(5, 3_000.0)
    closes = np.array([3_000.0] * 4 + [close])
    return b"".join([opened.tobytes(), *(column.tobytes() for column in (flat, flat, flat, closes, flat))])


@pytest.mark.parametrize(
    ("bid", "ask"), [(NAN, 3_001.0), (2_999.0, NAN), (NAN, NAN), (INFINITE, INFINITE), (0.0, -1.0)]
)
def test_a_book_with_prices_that_are_none_opens_nothing_and_harms_nobody(neighbours, bid, ask):
    both = neighbours("target", symbol=SYMBOL)
    both.bad.wants(0.5)
    write_raw(book(bid, ask))
    tick = both.tick(fresh_market=False)
    assert tick.placed == 0
    assert tick.error or tick.report["notes"] or tick.report["refusals"], "nobody said why"
    both.assert_nothing_was_sent()
    both.assert_the_other_traded()


@pytest.mark.parametrize("close", [NAN, INFINITE, -1.0])
def test_a_bar_with_a_price_that_is_none_opens_nothing_and_harms_nobody(neighbours, close):
    both = neighbours("target", symbol=SYMBOL)
    both.bad.wants(0.5)
    state = book(2_999.0, 3_001.0)
    state.bars = {60: milliseconds(process_clock().now()) // 60_000 * 60_000 - 60_000}
    write_raw(state, {60: bars(close)})
    tick = both.tick(fresh_market=False)
    assert tick.status == "failed"
    assert "high" in tick.error
    assert "high" in both.events()
    both.assert_nothing_was_sent()
    both.assert_the_other_traded()


def test_an_entry_that_cannot_be_read_opens_nothing_and_harms_nobody(neighbours):
    both = neighbours("target", symbol=SYMBOL)
    both.bad.wants(0.5)
    client = redis_client()
    client.set(state_key(f"hyperliquid:{SYMBOL}"), b"not what was agreed")
    client.close()
    tick = both.tick(fresh_market=False)
    assert tick.status == "failed"
    assert both.events()
    both.assert_nothing_was_sent()
    both.assert_the_other_traded()
