"""From a finished course to the result that is stored and shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from apps.strategies.backtest.bars import BarRun
from apps.strategies.backtest.brackets import TARGET
from apps.strategies.backtest.costs import BPS
from apps.strategies.backtest.replaying.course import Course
from apps.strategies.backtest.replaying.refusals import Refusals
from apps.strategies.backtest.replaying.timeline import Timeline
from apps.strategies.backtest.results import BacktestResult, EquityCurve, Trade
from apps.strategies.backtest.setting import Setting
from apps.strategies.orchestrator.loader import Loaded
from moondev.domain.clock import from_milliseconds, milliseconds
from moondev.domain.decisions import RefusalCode

ENGINE = "replay"


def result_of(course: Course, loaded: Loaded, setting: Setting) -> BacktestResult:
    """Return equity, trades, refusals and doubts of a course that has been run."""
    initial = float(setting.capital)
    runs = {key: track.tape.settled(track.history.base, track.costs, initial) for key, track in course.tracks.items()}
    refused = (*course.ticker.refusals.told, *course.refusals.told)
    return summed_up(ENGINE, loaded, setting, course.timeline, runs, refused, _of_run(course))


def summed_up(
    engine: str,
    loaded: Loaded,
    setting: Setting,
    timeline: Timeline,
    runs: Mapping[str, BarRun],
    refused: Sequence[str],
    doubts: Sequence[str],
) -> BacktestResult:
    """Return the runs of all markets, each begun with the setting's capital, as one result of `engine`."""
    curve, trades = _curve(timeline, runs, float(setting.capital)), _trades(runs)
    return BacktestResult(
        strategy=loaded.strategy.name,
        parameters=loaded.parameters.model_dump(mode="json"),
        code_hash=loaded.code_hash,
        engine=engine,
        rule=setting.rule,
        data={market.key: market.recorded.source for market in setting.markets},
        costs={market.key: market.costs for market in setting.markets},
        initial=float(setting.capital),
        trades=trades,
        curve=_from(curve, setting),
        refused=tuple(refused),
        warnings=(*_of_data(setting), *_of_equity(curve), *_of_targets(trades, setting), *doubts),
    )


def _curve(timeline: Timeline, runs: Mapping[str, BarRun], initial: float) -> EquityCurve:
    """Return equity and exposure at the end of every step; a market without a bar there counts as it stood."""
    equity = np.full(len(timeline), initial)
    notional = np.zeros(len(timeline))
    for key, run in runs.items():
        # Row 0 stands for the time before a market's first bar.
        rows = np.searchsorted(timeline.step_of[key], np.arange(len(timeline)), side="right")
        equity += np.concatenate(([0.0], run.equity - initial))[rows]
        notional += np.concatenate(([0.0], run.held * run.bars.close))[rows]
    with np.errstate(divide="ignore", invalid="ignore"):
        exposure = np.where(equity > 0, notional / equity, np.nan)
    return EquityCurve(timeline.opened_ms + timeline.step_ms, equity, exposure)


def _from(curve: EquityCurve, setting: Setting) -> EquityCurve:
    """Return the curve from the moment on at which trading may begin."""
    if setting.trades_from is None:
        return curve
    first = min(int(np.searchsorted(curve.times, milliseconds(setting.trades_from))), len(curve) - 1)
    return EquityCurve(curve.times[first:], curve.equity[first:], curve.exposure[first:])


def _trades(runs: Mapping[str, BarRun]) -> tuple[Trade, ...]:
    trades = [trade for key, run in runs.items() for trade in run.trades(key)]
    return tuple(sorted(trades, key=lambda trade: (trade.exited_ms, trade.entered_ms, trade.instrument)))


def _of_data(setting: Setting) -> list[str]:
    many = len(setting.markets) > 1
    return [
        f"{market.key}: {warning}" if many else warning
        for market in setting.markets
        for warning in market.recorded.source.warnings
    ]


def _of_equity(curve: EquityCurve) -> list[str]:
    broke = np.flatnonzero(curve.equity <= 0)
    if not len(broke):
        return []
    when = from_milliseconds(int(curve.times[broke[0]]))
    return [f"equity is not above 0 at {when:%Y-%m-%d %H:%M}: a venue would have closed all"]


def _of_targets(trades: Sequence[Trade], setting: Setting) -> list[str]:
    """Return what the rule that a target rests in the book is worth here: the planner's own are triggers that take."""
    costs = {market.key: market.costs for market in setting.markets}
    made = [trade for trade in trades if trade.reason == TARGET]
    more = 0.0
    for trade in made:
        paid = costs[trade.instrument]
        dearer_bps = max(paid.taker_bps - paid.maker_bps + paid.spread_bps / 2, 0.0)
        more += trade.quantity * trade.exit_price * dearer_bps * BPS
    if not more:
        return []
    words = f"{len(made)} targets were filled at their own price for a maker's fee"
    return [f"{words}; live they are market orders on a trigger, which would have cost {more:,.2f} more"]


def of_limits(refusals: Refusals, sizes: int, cut_sizes: int) -> list[str]:
    """Return what limits of risk made of a run: openings that a drawdown refused, and sizes that were cut."""
    found = []
    if refusals.counts(RefusalCode.STRATEGY_DRAWDOWN, RefusalCode.PORTFOLIO_DRAWDOWN):
        found.append(
            "a limit of drawdown was reached: live, the guard closes everything then; here nothing opens any more"
        )
    if cut_sizes:
        found.append(
            f"{cut_sizes} of {sizes} sizes were cut by the limit on one asset's share of"
            " the portfolio, which here is the money of the backtest alone"
        )
    return found


def _of_run(course: Course) -> list[str]:
    found = [f"ticks that failed: {line}" for line in course.ticker.failures.told]
    said = course.ticker.remarks.most_frequent(2)
    if said and not any(track.tape.rows for track in course.tracks.values()):
        found.append(f"nothing was traded; most often the strategy said, at {' and at '.join(said)}")
    if course.endless_from is not None:
        when = from_milliseconds(course.endless_from)
        found.append(f"orders answered fills without end in the bar of {when:%Y-%m-%d %H:%M}: the rest waited a bar")
    found += of_limits(course.ticker.refusals, course.ticker.sizes, course.ticker.cut_sizes)
    if course.ticker.quoted:
        found.append(
            "quotes are filled whole whenever a bar touches them: no queue is modelled, which flatters a maker;"
            " the quote backtester models one"
        )
    return found
