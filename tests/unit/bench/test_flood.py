import msgspec
import pytest

from apps.exchanges.ports import (
    BookUpdate,
    CandleUpdate,
    Environment,
    MarketSubscription,
    MarkUpdate,
    TradeBatch,
    VenueConfig,
)
from apps.exchanges.venues.hyperliquid.stream import market_stream
from moondev.domain.clock import LiveClock
from tests.bench.flood.messages import MIXES, frames
from tests.bench.flood.samples import EDGES_S, Delays, histogram


def payloads(mix: str) -> list[bytes]:
    stamped = [frame.stamped(b"1772323259999", b"1772323200000") for frame in frames(["A", "B"], mix, 400)]
    return [frame[2:] if frame[1] < 126 else frame[4:] for frame in stamped]


@pytest.mark.parametrize("mix", list(MIXES))
def test_every_message_of_the_flood_is_one_that_the_adapter_reads_as_news(mix):
    events: list[object] = []
    venue = VenueConfig("hyperliquid", "hyperliquid", Environment.PAPER, "http://127.0.0.1:1", "ws://127.0.0.1:1/ws")
    stream = market_stream(venue, [MarketSubscription("A")], events.append, LiveClock())
    for payload in payloads(mix):
        stream._dialect.read(payload, LiveClock().now())
    assert len(events) == 400
    assert stream.unreadable == 0
    kinds = {BookUpdate} if mix == "books" else {BookUpdate, CandleUpdate, MarkUpdate, TradeBatch}
    assert {type(event) for event in events} == kinds


def test_the_header_tells_the_length_of_the_payload():
    for frame in frames(["A"], "mixed", 50):
        whole = frame.stamped(b"1772323259999", b"1772323200000")
        length = whole[1] if whole[1] < 126 else int.from_bytes(whole[2:4], "big")
        payload = whole[-length:]
        assert len(whole) - length in {2, 4}
        assert msgspec.json.decode(payload)["channel"]


def test_percentiles_come_from_sums_of_histograms():
    delays = Delays()
    for seconds in ([0.001] * 98, [0.002], [0.5]):
        counts, worst = histogram(seconds)
        delays.add(counts.items(), worst)
    spread = delays.spread()
    assert spread.count == 100
    assert spread.median == pytest.approx(1.0, rel=0.05)
    assert spread.p99 == pytest.approx(2.0, rel=0.05)
    assert spread.worst == 500.0


def test_no_samples_are_no_figures_and_odd_ones_fall_into_the_outer_bins():
    assert Delays().spread().p99 is None
    counts, worst = histogram([0.0, 99.0])
    assert counts == {0: 1, len(EDGES_S): 1}
    delays = Delays()
    delays.add(counts.items(), worst)
    assert delays.spread().worst == 99_000.0
