"""What a run shows, and what is doubtful about it, in plain words for somebody who would put money on it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from apps.strategies.backtest.fills import FillRule
from apps.strategies.backtest.metrics import DAY_MS
from apps.strategies.backtest.numbers import basis_points, day, duration, ratio
from apps.strategies.backtest.record import RunRecord
from apps.strategies.backtest.results import END_OF_DATA
from apps.strategies.backtest.trade_figures import TradeFigures, trade_figures
from moondev.domain.decisions import RefusalCode

# Below these a figure says more about chance than about the idea.
FEWEST_TRADES = 30
FEWEST_DAYS = 90
SIGNIFICANT_T = 2.0
# The last trade of a run that goes on is not this far, as a share of the run, from its end.
QUIET_SHARE = 0.01
_DRAWDOWN = frozenset({RefusalCode.STRATEGY_DRAWDOWN.value, RefusalCode.PORTFOLIO_DRAWDOWN.value})
# Rounds to nothing as it is written.
NOTHING_BPS = 0.05


class Tone(StrEnum):
    """How a verdict is to be read."""

    BAD = "bad"
    UNSURE = "wait"
    CALM = "calm"
    GOOD = "good"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One sentence or two, and how to read them."""

    words: str
    tone: Tone


def verdict(record: RunRecord) -> Verdict:
    """Return what a run shows. No run is called proof: it is one past, looked at by whoever chose it."""
    figures, net = trade_figures(record.trades), record.curve.equity[-1] - record.facts.capital
    if not figures.count:
        return Verdict("It never traded here.", Tone.CALM)
    if net <= 0:
        words = _lost(figures) if min(figures.gross, figures.gross_bps or 0.0) < NOTHING_BPS else _eaten(figures)
        return Verdict(words, Tone.BAD)
    if figures.count < FEWEST_TRADES:
        return Verdict(f"It earned, on {figures.count} trades: too few to tell skill from luck.", Tone.UNSURE)
    if (figures.net_bps or 0.0) <= 0:
        return Verdict("It earned by a few large trades; the mean trade lost.", Tone.UNSURE)
    if (figures.t_statistic or 0.0) < SIGNIFICANT_T:
        words = f"It earned {basis_points(figures.net_bps)} a trade after costs, which luck explains as well"
        return Verdict(f"{words} (t = {ratio(figures.t_statistic)}).", Tone.UNSURE)
    words = f"It earned {basis_points(figures.net_bps)} a trade after costs (t = {ratio(figures.t_statistic)})"
    return Verdict(f"{words}, in one past. Hold it to the honesty checks before believing it.", Tone.GOOD)


def stopped(record: RunRecord) -> str:
    """Return when the platform's own limit on drawdown ended the trading, as it would live; empty when it did not."""
    if not record.trades or not _DRAWDOWN & set(record.facts.refused):
        return ""
    last = max(trade.entered_ms for trade in record.trades)
    if record.curve.times[-1] - last < QUIET_SHARE * (record.curve.times[-1] - record.curve.times[0]):
        return ""
    return f"the drawdown limit ended it, as it would live: nothing was opened after {day(last)}"


def doubts(record: RunRecord) -> list[str]:
    """Return what a reader should know before believing the figures, the gravest first."""
    return [
        *record.facts.warnings,
        *filter(None, [stopped(record)]),
        *_of_costs(record),
        *_of_sample(record),
        *_of_fills(record),
    ]


def _lost(figures: TradeFigures) -> str:
    mean = basis_points(figures.gross_bps)
    if abs(figures.gross_bps or 0.0) < NOTHING_BPS:
        return f"It makes nothing before costs, {basis_points(figures.net_bps)} a trade after."
    if (figures.gross_bps or 0.0) > 0:
        return f"It loses before costs, by its larger trades (the mean trade makes {mean}): no fee tier saves it."
    return f"It loses before costs ({mean} a trade): no fee tier saves it."


def _eaten(figures: TradeFigures) -> str:
    before, after = basis_points(figures.gross_bps), basis_points(figures.net_bps)
    return f"Costs eat it: {before} a trade before fees and funding, {after} after."


def _of_costs(record: RunRecord) -> Iterator[str]:
    costs = record.facts.costs
    if all(told.maker_bps == 0 and told.taker_bps == 0 for told in costs.values()):
        yield "no fees are charged: nobody trades for nothing"
    # Recorded books have their own spread and depth.
    of_bars = record.facts.rule != FillRule.AS_RECORDED.value
    if of_bars and all(told.spread_bps == 0 and told.slippage.startswith("0 ") for told in costs.values()):
        yield "no spread and no slippage are charged: market orders fill at the recorded price, however large they are"
    unpaid = [key for key, told in costs.items() if told.funding == "none" and "spot" not in key.partition(":")[0]]
    if unpaid and record.trades:
        yield f"no funding is charged for {', '.join(unpaid)}: a perpetual pays or receives it every few hours"


def _of_sample(record: RunRecord) -> Iterator[str]:
    if 0 < len(record.trades) < FEWEST_TRADES:
        yield f"{len(record.trades)} trades are too few for a mean, a win rate or a Sharpe ratio to say much"
    if record.metrics.days < FEWEST_DAYS:
        # From the first bar to the last: six minutes over midnight have closes of two days.
        hours = (int(record.curve.times[-1]) - int(record.curve.times[0])) / (DAY_MS / 24)
        yield f"a past of {duration(hours)} shows one mood of the market; yearly figures from it are extrapolations"


def _of_fills(record: RunRecord) -> Iterator[str]:
    facts = record.facts
    if facts.rule == FillRule.BAR_CLOSE.value:
        yield "orders fill at the very close they were decided on, which nobody can trade; next open is the fair rule"
    if facts.refused:
        told = ", ".join(f"{count} x {reason}" for reason, count in facts.refused.items())
        yield f"orders were refused: {told}"
    guessed = [key for key, told in facts.data.items() if "guessed" in told.rules]
    if guessed:
        yield f"tick, lot and smallest order of {', '.join(guessed)} are guessed from the data"
    still_open = [trade for trade in record.trades if trade.reason == END_OF_DATA]
    if still_open:
        yield f"{len(still_open)} position was open at the end, valued at the last close without the cost of leaving"
