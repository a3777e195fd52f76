"""How many trials a second a search makes: a year of 5-minute bars, two worker processes, rows in PostgreSQL.

A trial is what it is for a user: drawn, claimed by a conditional update, backtested over the whole year with fees,
judged in every fold, stored. The price is made up, so that whoever clones the project measures the same.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from django.db import connection

from apps.strategies.backtest.requests.request import BacktestRequest
from apps.strategies.models import OptimisationRun
from apps.strategies.optimise.local import run_here
from apps.strategies.optimise.overrides import space_for
from apps.strategies.optimise.plan import Plan
from apps.strategies.optimise.services import optimisation_start
from apps.strategies.registry import parameters_for, preset
from moondev.domain.clock import process_clock
from tests.bench.figures import Spread
from tests.bench.results import Row, Section
from tests.bench.servers import BenchError, Servers, start_afresh

BARS = 365 * 24 * 12
STEP_MS = 300_000
FILE = "binance-usdm_BTCUSDT_5m.parquet"
WORKERS, TRIALS, CYCLE = 2, 200, 1_000
# What is searched of each strategy, in ranges of which the model refuses nothing: a refused trial costs nothing, and
# would flatter the figure. The rest is the canonical preset on the bars as recorded.
SEARCHED = {
    "mean_reversion": ("length=5:200", "entry_z=1:3.5", "exit_z=0:0.9", "stop_z=4:8", "rsi_bars=5:50"),
    "nadaraya_watson": ("bandwidth_bars=2:40", "envelope_multiple=0.5:5", "extreme_level=5:40", "stop_atr=0.5:6"),
}


def run(servers: Servers, trials: int = TRIALS) -> list[Section]:
    """Search each strategy with every kind of sampler that learns, and with one that does not."""
    start_afresh(servers)
    with tempfile.TemporaryDirectory() as folder:
        _write_year(Path(folder))
        rows = [_row(kind, sampler, Path(folder), trials) for kind in SEARCHED for sampler in ("tpe", "sobol")]
    connection.close()
    setting = (
        f"{trials} trials on {BARS:,} bars (a year of 5 minutes), {WORKERS} worker processes, 5 folds, fees on; "
        "times are those of one trial"
    )
    return [Section("optimise", setting, rows)]


def _row(kind: str, sampler: str, folder: Path, trials: int) -> Row:
    run = optimisation_start(_plan(kind, sampler, folder, trials), lanes=0, actor="bench", now=process_clock().now())
    first = []

    def look(now: OptimisationRun) -> None:
        if not first and now.trials.filter(finished_at__isnull=False).exists():
            first.append(time.monotonic())

    began = time.monotonic()
    ended = run_here(run.pk, WORKERS, look)
    seconds = time.monotonic() - began
    if ended.status != "done":
        raise BenchError(f"{kind} by {sampler}: {ended.status}: {ended.error}")
    counts = ended.report["counts"]
    took = list(ended.trials.filter(status="done").values_list("duration_ms", flat=True))
    rate = trials / seconds
    note = (
        f"{rate:.1f} trials/s, {seconds:.0f} s in all ({first[0] - began:.0f} s until the first); "
        f"{CYCLE} at this pace: {CYCLE / rate / 60:.1f} min; {counts['pruned']} refused"
    )
    facts = {"trials_per_s": rate, "seconds": seconds, "counts": counts}
    return Row(f"{kind} by {sampler}", Spread.of(took), note=note, facts=facts)


def _plan(kind: str, sampler: str, folder: Path, trials: int) -> Plan:
    values = {**preset(kind, "canonical").model_dump(mode="json"), "interval": "5m"}
    base = parameters_for(kind, values)
    request = BacktestRequest(kind, base.model_dump(mode="json"), (FILE,))
    space = space_for(base, SEARCHED[kind])
    return Plan(request, space, sampler, trials=trials, purge_bars=288, folder=str(folder))


def _write_year(folder: Path) -> None:
    rng = np.random.default_rng(1)
    close = np.round(30_000 * np.exp(np.cumsum(rng.normal(0, 1e-3, BARS))), 1)
    open_ = np.concatenate((close[:1], close[:-1]))
    reach = rng.exponential(8.0, (2, BARS))
    columns = {
        "ts": 1_682_899_200_000 + STEP_MS * np.arange(BARS, dtype=np.int64),
        "open": open_,
        "high": np.round(np.maximum(open_, close) + reach[0], 1),
        "low": np.round(np.minimum(open_, close) - reach[1], 1),
        "close": close,
        "volume": np.round(rng.exponential(200.0, BARS), 3),
    }
    pq.write_table(pa.table(columns), folder / FILE)
