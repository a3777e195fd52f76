"""What a backtest is given besides the idea: markets with their past, money, and the rule of fills."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from apps.risk.sizing.rule import PLAIN, SizingRule
from apps.strategies.backtest.costs import Costs
from apps.strategies.backtest.data import RecordedBars, require_one_quote
from apps.strategies.backtest.fills import FillRule
from moondev.domain.errors import InvalidValue
from moondev.domain.instruments import Instrument


@dataclass(frozen=True, slots=True)
class Market:
    """One instrument: its rules, its past as recorded (bars of one interval) and what trading it costs."""

    instrument: Instrument
    recorded: RecordedBars
    costs: Costs

    @property
    def key(self) -> str:
        """Return the instrument's key."""
        return self.instrument.key


@dataclass(frozen=True, slots=True)
class Setting:
    """Where and by which rules an idea is tried.

    `capital` is in the markets' quote currency; `leverage` the notional that may be held per unit of equity.
    Bars before `trades_from` are history to look at and nothing else; None trades from the first bar on that the
    strategy has history enough for. `reprice_bps` and `slippage_bps` mean what they mean in a strategy's row. `limits`
    are bounds other than those every portfolio begins with, by the names of `apps.risk.models.LimitKind`;
    `sizing` is the rule by which a weight is given its size.
    """

    markets: tuple[Market, ...]
    rule: FillRule = FillRule.NEXT_OPEN
    capital: Decimal = Decimal(100_000)
    leverage: Decimal = Decimal(1)
    trades_from: datetime | None = None
    reprice_bps: Decimal = Decimal(1)
    slippage_bps: Decimal = Decimal(50)
    limits: Mapping[str, Decimal] = field(default_factory=dict)
    sizing: SizingRule = PLAIN

    def __post_init__(self) -> None:
        """Refuse no market, one twice, different intervals, different quote currencies and money not above zero."""
        if not self.markets:
            raise InvalidValue("markets", 0, "at least one")
        keys = [market.key for market in self.markets]
        twice = sorted({key for key in keys if keys.count(key) > 1})
        if twice:
            raise InvalidValue("markets", ", ".join(twice), "each instrument once")
        intervals = sorted({market.recorded.bars.interval for market in self.markets})
        if len(intervals) > 1:
            raise InvalidValue("markets", ", ".join(map(str, intervals)), "bars of one interval")
        if self.rule is FillRule.AS_RECORDED:
            raise InvalidValue("rule", self.rule.value, f"{FillRule.NEXT_OPEN} or {FillRule.BAR_CLOSE} for bars")
        require_one_quote([market.recorded for market in self.markets])
        for name, value in (("capital", self.capital), ("leverage", self.leverage)):
            if not (value.is_finite() and value > 0):
                raise InvalidValue(name, value, "a number above 0")

    @property
    def interval(self) -> timedelta:
        """Return the length of the recorded bars."""
        return self.markets[0].recorded.bars.interval

    @property
    def instruments(self) -> Mapping[str, Instrument]:
        """Return the instruments by key."""
        return {market.key: market.instrument for market in self.markets}
