"""What a quote backtest is given besides the idea: tapes with their costs, money, delays and a model of queues."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

from apps.strategies.backtest.costs import Costs
from apps.strategies.backtest.quoting.latency import Latency
from apps.strategies.backtest.quoting.queues import QueueModel, RiskAverse
from apps.strategies.backtest.quoting.tape import Tape
from apps.strategies.backtest.quoting.told import Fills
from moondev.domain.errors import InvalidValue
from moondev.domain.instruments import Instrument
from moondev.domain.market_data import BarSeries

SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class QuoteMarket:
    """One recorded market and what trading it costs: fees and funding; spread and slippage are in the record.

    `before` are bars that closed before the record began, for strategies that look back farther than it reaches;
    `doubts` are what a reader of the result should know of them.
    """

    tape: Tape
    costs: Costs
    before: BarSeries | None = None
    doubts: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Return the instrument's key."""
        return self.tape.key


@dataclass(frozen=True, slots=True)
class QuoteSetting:
    """Where and by which rules an idea is tried.

    `capital` is in the markets' quote currency, and lies at every venue in full: what is held at one does not
    shrink the margin at another. The strategy ticks `every` so often, None at the close of the shortest bars it
    looks at; and with every fill, as live. It sees `depth` levels a side. `equity_every` is how often equity is
    struck. The others mean what they mean in `backtest.setting`.
    """

    markets: tuple[QuoteMarket, ...]
    capital: Decimal = Decimal(100_000)
    leverage: Decimal = Decimal(1)
    latency: Latency = field(default_factory=Latency)
    queues: QueueModel = field(default_factory=RiskAverse)
    fills: Fills = Fills.PARTIAL
    every: timedelta | None = SECOND
    depth: int = 20
    equity_every: timedelta = SECOND
    reprice_bps: Decimal = Decimal(1)
    slippage_bps: Decimal = Decimal(50)
    limits: Mapping[str, Decimal] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse no market, one twice, mixed quote currencies, markets of different times, and numbers not above 0."""
        keys = [market.key for market in self.markets]
        if not keys or len(set(keys)) < len(keys):
            raise InvalidValue("markets", ", ".join(keys) or "none", "at least one, each instrument once")
        quotes = {market.key: market.tape.instrument.quote for market in self.markets}
        if len(set(quotes.values())) > 1:
            raise InvalidValue("quote currency", str(quotes), "markets quoted in one currency")
        starts, ends = (max(m.tape.starts_ns for m in self.markets), min(m.tape.ends_ns for m in self.markets))
        if starts >= ends:
            spans = "; ".join(f"{market.key}: {market.tape.span}" for market in self.markets)
            raise InvalidValue("markets", spans, "records of one time")
        numbers = {"capital": self.capital, "leverage": self.leverage, "depth": Decimal(self.depth)}
        for name, value in numbers.items():
            if not (value.is_finite() and value > 0):
                raise InvalidValue(name, value, "a number above 0")
        for name, length in (("every", self.every), ("equity_every", self.equity_every)):
            if length is not None and length <= timedelta(0):
                raise InvalidValue(name, length, "a time above 0")

    @property
    def instruments(self) -> Mapping[str, Instrument]:
        """Return the instruments by key."""
        return {market.key: market.tape.instrument for market in self.markets}
