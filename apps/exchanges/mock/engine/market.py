"""Everything the engine knows about one coin."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from apps.exchanges.mock.engine.accounts import Account
from apps.exchanges.mock.engine.api import ASSET_DECIMALS, FundingRate, InstrumentSpec, Trade
from apps.exchanges.mock.engine.bars import BarBuilder
from apps.exchanges.mock.engine.book import Book
from apps.exchanges.mock.engine.grid import Grid
from apps.exchanges.mock.engine.triggers import TriggerBook

KEPT_TRADES = 200
KEPT_RATES = 10_000


@dataclass(slots=True, eq=False)
class Market:
    """One coin: book, triggers, bars, prices (in price units) and who holds a position.

    `base` is a spot pair's, None for a perpetual; `base_scale` its balance units in a size unit. `premium_sum` and
    `premium_count` average the funding premium of the hour so far.
    """

    spec: InstrumentSpec
    mark: int
    oracle: int
    last: int
    grid: Grid = field(init=False)
    coin: str = field(init=False)
    base: str | None = field(init=False)
    base_scale: int = field(init=False)
    book: Book = field(default_factory=Book)
    triggers: TriggerBook = field(default_factory=TriggerBook)
    bars: BarBuilder = field(default_factory=BarBuilder)
    holders: dict[str, Account] = field(default_factory=dict)
    trades: deque[Trade] = field(default_factory=lambda: deque(maxlen=KEPT_TRADES))
    rates: deque[FundingRate] = field(default_factory=lambda: deque(maxlen=KEPT_RATES))
    premium_sum: float = 0.0
    premium_count: int = 0

    def __post_init__(self) -> None:
        self.grid = Grid.of(self.spec)
        self.coin = self.spec.coin
        self.base = self.spec.base
        self.base_scale = 10 ** (ASSET_DECIMALS - self.spec.sz_decimals)

    def initial_margin(self, size: int, leverage: int) -> int:
        """Return what a position of `size` units ties up at the mark, in money units."""
        return -(-abs(size) * self.mark // leverage)

    def maintenance_margin(self, size: int) -> int:
        """Return the maintenance margin: half the initial margin at maximum leverage."""
        return -(-abs(size) * self.mark // (2 * self.spec.max_leverage))
