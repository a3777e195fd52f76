"""Recorded books of two venues, which lie beside the project; tests skip when they are absent."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from moondev.domain.clock import from_milliseconds
from moondev.domain.market_data import Book, BookLevel

FOLDER = Path(__file__).parents[6] / "shared/data/l2"
NAMES = {
    "binance": "binance-spot_LINKUSDT_book10_1s_20210820.parquet",
    "huobi": "huobi-spot_LINKUSDT_book10_1s_20210820.parquet",
}
needs_link_books = pytest.mark.skipif(
    not all((FOLDER / name).exists() for name in NAMES.values()),
    reason="the recorded LINK books of Binance and Huobi are not beside the project",
)


def link_books(venue: str, levels: int = 10) -> list[Book]:
    """Return a venue's books, one a second."""
    table = pq.read_table(FOLDER / NAMES[venue]).to_pydict()
    sides = [[(table[f"{side}{n}"], table[f"{side}v{n}"]) for n in range(1, levels + 1)] for side in ("b", "a")]
    books = []
    for row, stamp in enumerate(table["ts"]):
        bids, asks = (tuple(BookLevel(prices[row], sizes[row]) for prices, sizes in side) for side in sides)
        at = from_milliseconds(int(stamp))
        books.append(Book(bids, asks, at, at))
    return books
