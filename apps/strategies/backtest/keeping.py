"""Records in the database: a finished run is written whole, and read again as it was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from apps.strategies.backtest.archive import (
    curve_from_bytes,
    curve_to_bytes,
    prices_from_bytes,
    prices_to_bytes,
    trades_from_bytes,
    trades_to_bytes,
)
from apps.strategies.backtest.honesty.check import Check, CheckCode
from apps.strategies.backtest.honesty.store import check_of, past_hash
from apps.strategies.backtest.record import Facts, RunRecord, facts_of_json, metrics_of_json
from apps.strategies.models import BacktestArchive, BacktestRun, BacktestStatus, HonestyCheck
from moondev.domain.errors import InvalidValue


def archive_put(run_id: int, record: RunRecord) -> None:
    """Write curve, trades and prices of a run; twice leaves the second."""
    packed = {
        "curve": curve_to_bytes(record.curve),
        "trades": trades_to_bytes(record.trades),
        "prices": prices_to_bytes(record.prices),
    }
    BacktestArchive.objects.update_or_create(run_id=run_id, defaults=packed)


def columns_of(record: RunRecord) -> dict[str, Any]:
    """Return what a finished run's row says of its record."""
    return {
        "status": BacktestStatus.DONE,
        "progress": 1.0,
        "code_hash": record.facts.code_hash,
        "facts": record.facts.to_json(),
        "metrics": asdict(record.metrics),
    }


def record_get(run: BacktestRun) -> RunRecord:
    """Return what a finished run left behind. Raises InvalidValue for one that has left nothing."""
    archive = BacktestArchive.objects.filter(run=run).first()
    if run.status != BacktestStatus.DONE or archive is None:
        raise InvalidValue("backtest", f"{run.pk} ({run.status})", "one that is done")
    return RunRecord(
        title=run.title,
        facts=facts_of_json(run.facts),
        metrics=metrics_of_json(run.metrics),
        trades=trades_from_bytes(bytes(archive.trades)),
        curve=curve_from_bytes(bytes(archive.curve)),
        prices=prices_from_bytes(bytes(archive.prices)),
    )


def runs_get(run_ids: Sequence[int]) -> list[BacktestRun]:
    """Return the runs in the order asked for. Raises InvalidValue naming those that there are not."""
    found = BacktestRun.objects.in_bulk(run_ids)
    if missing := [str(pk) for pk in run_ids if pk not in found]:
        raise InvalidValue("backtest", ", ".join(missing), "the number of a stored run: `manage.py backtest list`")
    return [found[pk] for pk in run_ids]


def records_get(run_ids: Sequence[int]) -> dict[str, RunRecord]:
    """Return the records of runs by number and title. Raises InvalidValue as `runs_get` and `record_get` do."""
    return {f"{run.pk}: {run.title}": record_get(run) for run in runs_get(run_ids)}


def checks_get(run: BacktestRun) -> list[Check]:
    """Return the newest answer to each honesty question about this code and these parameters on these data."""
    facts = facts_of_json(run.facts)
    rows = HonestyCheck.objects.filter(
        kind=facts.strategy, code_hash=facts.code_hash, parameters=facts.parameters, data_hash=past_hash(_hashes(facts))
    )
    newest = {check.code: check for check in map(check_of, rows.order_by("pk"))}
    return [newest[code] for code in CheckCode if code in newest]


def _hashes(facts: Facts) -> list[str]:
    return [told.content_hash for told in facts.data.values()]
