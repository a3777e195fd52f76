"""How the moment of a write is read from what Redis says of its commands."""

import msgspec
import pytest

from apps.exchanges.market_data.codec import StoredState
from tests.bench.ingestion import latencies

KEY = b"md:state:hyperliquid:BTC"


def line(*words: bytes, at: float = 1_000.5) -> bytes:
    """Return a line of MONITOR with every byte of its words escaped, as Redis may write any of them."""
    quoted = b" ".join(b'"' + b"".join(b"\\x%02x" % byte for byte in word) + b'"' for word in words)
    return b"%.6f [12 127.0.0.1:40000] " % at + quoted


def state(received_ms: float, *, mark: float = 1.0) -> bytes:
    return msgspec.msgpack.encode(StoredState(book_received_ms=received_ms, mark=mark, bars={}))


def test_the_latency_is_from_the_message_to_the_write():
    assert latencies(line(b"MSET", KEY, state(1_000_497.0)), {KEY}, {}) == [pytest.approx(3.0)]


def test_a_book_that_is_written_again_counts_once():
    received: dict[bytes, float] = {}
    latencies(line(b"MSET", KEY, state(1_000_497.0)), {KEY}, received)
    assert latencies(line(b"MSET", KEY, state(1_000_497.0, mark=2.0)), {KEY}, received) == []


def test_commands_and_keys_of_others_do_not_count():
    assert latencies(line(b"GET", KEY), {KEY}, {}) == []
    assert latencies(line(b"MSET", b"md:state:other:ETH", state(1_000_497.0)), {KEY}, {}) == []
    assert latencies(b"OK", {KEY}, {}) == []


def test_printable_bytes_and_escaped_quotes_are_read_as_redis_writes_them():
    body = state(1_000_497.0).replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    raw = b'1000.500000 [12 127.0.0.1:4] "MSET" "' + KEY + b'" "' + body + b'"'
    assert latencies(raw, {KEY}, {}) == [pytest.approx(3.0)]
