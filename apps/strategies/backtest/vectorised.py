"""Whole backtests out of columns: for strategies that tell their signals for all bars at once.

Indicators are computed in one pass, then only signals are looked at. Sizes, grid, limits, fills and costs are those
of the replay, and so are the trades: a parity test holds the two together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta

from apps.risk.sizing.multiples import Readings, allowed
from apps.strategies.backtest.bars import BarRun
from apps.strategies.backtest.history import History
from apps.strategies.backtest.replaying.course import nothing, require_there
from apps.strategies.backtest.replaying.purse import limits_of
from apps.strategies.backtest.replaying.report import summed_up
from apps.strategies.backtest.replaying.timeline import Timeline, intervals_of
from apps.strategies.backtest.results import BacktestResult
from apps.strategies.backtest.setting import Setting
from apps.strategies.backtest.soundness import require_sound
from apps.strategies.backtest.vectoring.lane import Lane, Untold
from apps.strategies.backtest.vectoring.purse import Purse
from apps.strategies.backtest.vectoring.trading import Trading
from apps.strategies.orchestrator.loader import Loaded
from moondev.domain.market_data import Needs

ENGINE = "vectorised"


class Ground:
    """A setting made ready for any number of parameter sets: longer bars are built once, when first asked for."""

    def __init__(self, setting: Setting) -> None:
        """Stand on `setting`. Raises InvalidValue for bars that are not sound."""
        require_sound(setting)
        self.setting = setting
        # In the order of their names, so that the order in which markets are given never matters.
        self._markets = {market.key: market for market in sorted(setting.markets, key=lambda market: market.key)}
        self._histories = {key: History(market.recorded.bars) for key, market in self._markets.items()}
        self.timeline = Timeline(self._histories)

    def histories(self, intervals: Sequence[timedelta]) -> Mapping[str, History]:
        """Return every market's past with bars of `intervals`. Raises InvalidValue as `History` does."""
        for history in self._histories.values():
            history.build(intervals)
        return self._histories

    def needs(self, loaded: Loaded) -> Needs:
        """Return what `loaded` looks at here."""
        needs: Needs = loaded.strategy.needs(loaded.parameters, tuple(self.setting.instruments.values()))
        return needs

    def run(self, loaded: Loaded, on_progress: Callable[[float], None] = nothing) -> BacktestResult | None:
        """Return what `loaded` would have done; None when that cannot be told from columns alone.

        It cannot where trades are no function of bars, or sizes follow volatility, trades or drawdown; where markets
        compete for fewer trades at once than there are of them, or one runs away from an order while another may fill,
        since the order of fills within a bar then decides; and where a limit of risk cuts a resting entry by much,
        which the strategy takes for a partial fill.
        Raises InvalidValue as the replay does.
        """
        setting, needs = self.setting, self.needs(loaded)
        require_there(needs, setting)
        if not setting.sizing.is_constant:
            return None
        histories = self.histories(intervals_of(needs, setting.interval))
        leverage = allowed(setting.sizing, Readings(float(setting.capital)), float(setting.leverage)).told
        signals = loaded.strategy.signals(histories, loaded.parameters, setting.instruments, leverage)
        if signals is None or any(one.most is not None and one.most < len(signals) for one in signals.values()):
            return None
        asked = self.timeline.asked(histories, needs, setting.trades_from)
        asked_ms = self.timeline.opened_ms[asked] + self.timeline.step_ms
        lanes = {
            key: Lane(self._markets[key], histories[key], columns, asked_ms, setting, alone=len(signals) == 1)
            for key, columns in signals.items()
        }
        purse = Purse(setting, len(self.timeline), limits_of(setting), leverage)
        trading = Trading(lanes, self.timeline.step_of, purse)
        try:
            trading.run(on_progress)
        except Untold:
            return None
        runs, refused = self._runs(trading), trading.refusals.told
        return summed_up(ENGINE, loaded, setting, self.timeline, runs, refused, trading.doubts)

    def _runs(self, trading: Trading) -> dict[str, BarRun]:
        return {
            key: tape.settled(self._histories[key].base, self._markets[key].costs, float(self.setting.capital))
            for key, tape in trading.tapes.items()
        }


def vectorised(
    loaded: Loaded, setting: Setting, on_progress: Callable[[float], None] = nothing
) -> BacktestResult | None:
    """Return what `loaded` would have done in `setting`; None as `Ground.run` does."""
    return Ground(setting).run(loaded, on_progress)


def run_many(parameter_sets: Sequence[Loaded], setting: Setting) -> Iterator[BacktestResult | None]:
    """Yield the result of each parameter set, one at a time: a thousand equity curves would not fit into memory."""
    ground = Ground(setting)
    for loaded in parameter_sets:
        yield ground.run(loaded)
