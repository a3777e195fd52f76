"""What a weight of 1 stands for at this tick: the multiple of equity that the sizing rule allows.

    weight           the strategy's leverage, as it was given
    fixed fraction   target                                  (Vince, Portfolio Management Formulas, 1990)
    atr              target / (average true range / price)   (Faith, Original Turtle Trading Rules, 2003)
    realised         target / volatility of the market       (Carver, Systematic Trading, 2015, chapter 9)
    kelly            target x Kelly fraction of its trades   (see `kelly`)
    equal risk       target x portfolio equity / (strategies x own equity x volatility): every strategy may move the
                     portfolio as much as any other, and all together by no more than the target even when they move as
                     one

A rule never gives more than the strategy's leverage, nor than its own ceiling; drawdown scales what is left. Of several
markets the one that moves most counts, so one multiple holds for all and the legs of a pair keep their proportion.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from apps.risk.sizing.drawdown import drawdown_scale
from apps.risk.sizing.kelly import NO_TRADES, TradeRecord, kelly_fraction
from apps.risk.sizing.rule import SizingMethod, SizingRule

# A strategy that is told it may hold nothing at all does not look after what it holds: so much it is told at least,
# though nothing new is sized by it.
LEAST_TOLD = 0.001


@dataclass(frozen=True, slots=True)
class Readings:
    """What a rule looks at now; None is not known, never zero.

    `volatility` and `true_range` are of the market that moves most: of a year, and as a share of the price. Equities
    are in the account's currency; `peers` counts the portfolio's strategies, this one included.
    """

    equity: float
    drawdown: float | None = None
    volatility: float | None = None
    true_range: float | None = None
    trades: TradeRecord = NO_TRADES
    portfolio_equity: float | None = None
    peers: int = 1


@dataclass(frozen=True, slots=True)
class Allowed:
    """The multiple, and why when it is nothing. `told` is what the strategy hears of it."""

    multiple: float
    told: float
    why_nothing: str = ""

    @property
    def nothing(self) -> bool:
        """Return whether nothing new may be sized."""
        return not self.multiple > 0


# Of work that no rule has looked at: the strategy's own leverage holds.
UNSIZED = Allowed(math.inf, math.inf)


def allowed(rule: SizingRule, readings: Readings, leverage: float) -> Allowed:
    """Return what a weight of 1 stands for, at most `leverage`; nothing where the rule misses what it looks at."""
    multiple = _METHODS[rule.method](rule, readings, leverage)
    if multiple is None:
        return _nothing(leverage, f"{rule.method}: {_MISSING[rule.method]}")
    # The check is written so that what is no number allows nothing.
    if not multiple > 0:
        return _nothing(leverage, f"{rule.method}: there is nothing to be gained for sure enough")
    multiple = min(multiple, rule.ceiling, leverage)
    if rule.stops_at_drawdown is not None:
        if readings.drawdown is None or math.isnan(readings.drawdown):
            return _nothing(leverage, "the strategy's drawdown is not known")
        multiple *= drawdown_scale(readings.drawdown, rule.stops_at_drawdown)
        if not multiple > 0:
            return _nothing(leverage, f"a drawdown of {readings.drawdown:.4g} leaves nothing to risk")
    return Allowed(multiple, max(multiple, LEAST_TOLD * leverage))


def _nothing(leverage: float, why: str) -> Allowed:
    return Allowed(0.0, LEAST_TOLD * leverage, why)


def _weight(_rule: SizingRule, _readings: Readings, leverage: float) -> float | None:
    return leverage


def _fixed_fraction(rule: SizingRule, _readings: Readings, _leverage: float) -> float | None:
    return rule.target


def _atr(rule: SizingRule, readings: Readings, _leverage: float) -> float | None:
    return _over(rule.target, readings.true_range)


def _realised(rule: SizingRule, readings: Readings, _leverage: float) -> float | None:
    return _over(rule.target, readings.volatility)


def _kelly(rule: SizingRule, readings: Readings, _leverage: float) -> float | None:
    fraction = kelly_fraction(readings.trades, rule.fewest_trades)
    # Without trades there will never be a record, so it begins with a little.
    return rule.start if fraction is None else rule.target * fraction


def _equal_risk(rule: SizingRule, readings: Readings, _leverage: float) -> float | None:
    portfolio = readings.portfolio_equity
    if portfolio is None or not portfolio > 0 or not readings.equity > 0:
        return None
    return _over(rule.target * portfolio / max(readings.peers, 1) / readings.equity, readings.volatility)


def _over(target: float, movement: float | None) -> float | None:
    """Return target / movement; None where a market has not moved at all: that is a feed that stands still."""
    return None if movement is None or not 0 < movement < math.inf else target / movement


_METHODS: Mapping[SizingMethod, Callable[[SizingRule, Readings, float], float | None]] = MappingProxyType(
    {
        SizingMethod.WEIGHT: _weight,
        SizingMethod.FIXED_FRACTION: _fixed_fraction,
        SizingMethod.ATR: _atr,
        SizingMethod.REALISED: _realised,
        SizingMethod.KELLY: _kelly,
        SizingMethod.EQUAL_RISK: _equal_risk,
    }
)
_NO_BARS = "too few recent bars to tell how much its markets move"
_MISSING: Mapping[SizingMethod, str] = MappingProxyType(
    {
        SizingMethod.WEIGHT: "no leverage",
        SizingMethod.FIXED_FRACTION: "no fraction",
        SizingMethod.ATR: _NO_BARS,
        SizingMethod.REALISED: _NO_BARS,
        SizingMethod.KELLY: "no trades",
        SizingMethod.EQUAL_RISK: f"the portfolio's equity is not known, or {_NO_BARS}",
    }
)
