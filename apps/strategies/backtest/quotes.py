"""The quote backtest: a strategy over recorded order books and trades, with queues and delays.

    tape = tape_of_file(Path("binance_usdm_BTCUSDT_20240808.parquet"), instrument)
    feed = RecordedFeed(shift=timedelta(milliseconds=1_280))  # its recorder's clock was behind
    setting = QuoteSetting((QuoteMarket(tape, Costs(maker_bps=2, taker_bps=5)),), latency=Latency(feed))
    result = backtest_quotes(load("market_maker", parameters), setting)

See `quoting` for the pieces: `recorded` reads and checks files, `latency` and `queues` are the models, `floor` is the
venue's side, `desk` ours.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from apps.strategies.backtest.fills import FillRule
from apps.strategies.backtest.quoting.desk import Desk
from apps.strategies.backtest.quoting.ear import Ear
from apps.strategies.backtest.quoting.executions import Executions, middles
from apps.strategies.backtest.quoting.figures import figures_of
from apps.strategies.backtest.quoting.floor import Floor, Purse, Tables
from apps.strategies.backtest.quoting.session import Session
from apps.strategies.backtest.quoting.setting import QuoteSetting
from apps.strategies.backtest.quoting.settlement import curve_of, trades_of
from apps.strategies.backtest.results import BacktestResult
from apps.strategies.orchestrator.loader import Loaded
from moondev.domain.clock import from_milliseconds

ENGINE = "quotes"


class _Run(NamedTuple):
    tables: dict[str, Tables]
    executions: dict[str, Executions]
    session: Session
    desk: Desk


def backtest_quotes(
    loaded: Loaded, setting: QuoteSetting, on_progress: Callable[[float], None] | None = None
) -> BacktestResult:
    """Return what `loaded` would have done in `setting`.

    `on_progress` is told the share done, at every tick; what it raises ends the backtest. Raises InvalidValue when
    the setting lacks what the strategy looks at, for news from the future (see `latency`), and for a strategy that
    fails again and again. Django must be set up; no database is asked.
    """
    run = _run(loaded, setting, on_progress)
    starts, ends = run.session.starts_ns, run.session.ends_ns
    curve = curve_of(run.tables, run.executions, setting, starts, ends)
    trades = [
        trade
        for key, done in run.executions.items()
        for trade in trades_of(key, done, float(middles(run.tables[key], np.array([ends]))[0]), ends)
    ]
    return BacktestResult(
        strategy=loaded.strategy.name,
        parameters=loaded.parameters.model_dump(mode="json"),
        code_hash=loaded.code_hash,
        engine=ENGINE,
        rule=FillRule.AS_RECORDED,
        data={market.key: market.tape.source for market in setting.markets},
        costs={market.key: market.costs for market in setting.markets},
        initial=float(setting.capital),
        trades=tuple(sorted(trades, key=lambda trade: (trade.exited_ms, trade.entered_ms, trade.instrument))),
        curve=curve,
        refused=tuple(run.desk.refusals.told),
        warnings=(*_of_data(setting), *_of_run(run, curve.times, curve.equity)),
        figures=figures_of(run.tables, run.executions, len(run.desk.reasons)) | {"ticks": float(run.desk.ticks)},
    )


def _run(loaded: Loaded, setting: QuoteSetting, on_progress: Callable[[float], None] | None) -> _Run:
    markets = {market.key: market for market in setting.markets}
    tables = {key: Tables(market.tape) for key, market in markets.items()}
    ears = {key: Ear(one, setting.latency.feed) for key, one in tables.items()}
    purse = Purse(setting.capital, setting.leverage)
    floors = {
        key: Floor(one, markets[key].costs, purse, setting.queues, setting.fills) for key, one in tables.items()
    }  # fmt: skip
    desk = Desk(loaded, setting, tables, ears)
    session = Session(floors, ears, setting.latency.orders)
    session.run(desk, on_progress)
    executions = {
        key: Executions.of(
            [fill for fill in session.fills if fill.instrument == key], desk.reasons, desk.payments[key].paid
        )
        for key in markets
    }
    return _Run(tables, executions, session, desk)


def _of_data(setting: QuoteSetting) -> list[str]:
    many = len(setting.markets) > 1
    return [
        f"{market.key}: {warning}" if many else warning
        for market in setting.markets
        for warning in (*market.tape.source.warnings, *market.doubts)
    ]


def _of_run(run: _Run, times: np.ndarray, equity: np.ndarray) -> list[str]:
    found = [f"ticks that failed: {line}" for line in run.desk.failures.told]
    broke = np.flatnonzero(equity <= 0)
    if len(broke):
        when = from_milliseconds(int(times[broke[0]]))
        found.append(f"equity is not above 0 at {when:%Y-%m-%d %H:%M:%S}: a venue would have closed all")
    without = [key for key, one in run.tables.items() if not len(one.trades)]
    if without:
        found.append(f"no trades are recorded of {', '.join(without)}: what rests there fills only when it is crossed")
    return found
