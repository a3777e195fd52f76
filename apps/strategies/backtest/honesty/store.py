"""Keeps answers, and says from those that were kept whether a strategy may go further."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from apps.risk.sizing.rule import PLAIN
from apps.strategies.backtest.honesty.case import Case
from apps.strategies.backtest.honesty.check import Check, CheckCode, Limit
from apps.strategies.backtest.honesty.gate import REQUIREMENTS, Lack, Requirement, gate
from apps.strategies.backtest.setting import Setting
from apps.strategies.base import Parameters
from apps.strategies.models import HonestyCheck, HonestyRequirement
from apps.strategies.registry import parameters_for


def checks_keep(case: Case, checks: Iterable[Check], *, actor: str, now: datetime) -> None:
    """Store the answers about a case, one row each."""
    version = _version(case.loaded.strategy.name, case.loaded.code_hash, case.loaded.parameters)
    common = {**version, **_past(case.setting), "terms": _terms(case), "asked_by": actor, "at": now}
    HonestyCheck.objects.bulk_create(HonestyCheck(**common, **_columns(check)) for check in checks)


def checks_of(kind: str, code_hash: str, parameters: Parameters) -> tuple[Check, ...]:
    """Return every answer that was kept about this code with these parameters, oldest first."""
    wanted = _version(kind, code_hash, parameters)
    del wanted["parameters"]
    return tuple(check_of(row) for row in HonestyCheck.objects.filter(**wanted).order_by("pk"))


def requirements_now() -> tuple[Requirement, ...]:
    """Return what is required: the rows of the admin, and for a check without one what is required by default."""
    rows = _rows()
    return tuple(
        _requirement(default, rows.get(default.check))
        for default in REQUIREMENTS
        if default.check not in rows or rows[default.check].required
    )


def limits_now() -> tuple[Limit, ...]:
    """Return the limits of every check, required or not."""
    rows = _rows()
    return tuple(limit for one in REQUIREMENTS for limit in _requirement(one, rows.get(one.check)).limits)


def lacking(kind: str, code_hash: str, parameters: Mapping[str, Any]) -> tuple[Lack, ...] | None:
    """Return which requirements this code with these stored parameters does not meet; None when nothing was checked.

    Raises Configuration for a kind that there is not and InvalidValue for parameters it does not accept.
    """
    checks = checks_of(kind, code_hash, parameters_for(kind, parameters))
    return gate(checks, requirements_now()) if checks else None


def _rows() -> dict[str, HonestyRequirement]:
    return {row.check_code: row for row in HonestyRequirement.objects.prefetch_related("limits")}


def _requirement(default: Requirement, row: HonestyRequirement | None) -> Requirement:
    if row is None:
        return default
    return Requirement(default.check, tuple(limit.to_limit() for limit in row.limits.all()), row.days_at_least)


def past_hash(content_hashes: Iterable[str]) -> str:
    """Return one hash of the pasts of a setting's markets, in their order."""
    return hashlib.sha256("".join(content_hashes).encode()).hexdigest()


def _version(kind: str, code_hash: str, parameters: Parameters) -> dict[str, Any]:
    # With every default written out, parameters that mean the same have the same hash.
    values = parameters.model_dump(mode="json")
    digest = hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
    return {"kind": kind, "code_hash": code_hash, "parameters": values, "parameters_hash": digest}


def _past(setting: Setting) -> dict[str, str]:
    sources = [market.recorded.source for market in setting.markets]
    digest = past_hash(source.content_hash for source in sources)
    return {"data": "\n".join(source.description for source in sources), "data_hash": digest}


def _terms(case: Case) -> dict[str, Any]:
    setting = case.setting
    costs = {
        market.key: {
            "maker_bps": market.costs.maker_bps,
            "taker_bps": market.costs.taker_bps,
            "spread_bps": market.costs.spread_bps,
            "slippage": str(market.costs.slippage),
            "funding": market.costs.funding is not None,
        }
        for market in setting.markets
    }
    return {
        "capital": str(setting.capital), "leverage": str(setting.leverage), "rule": setting.rule.value, "costs": costs,
        "trials": asdict(case.trials), "budget": case.budget, "seed": case.seed,
        **({} if setting.sizing == PLAIN else {"sizing": setting.sizing.to_json()}),
    }  # fmt: skip


def _columns(check: Check) -> dict[str, Any]:
    figures: dict[str, float | None] = dict(check.figures)
    return {
        "check_code": check.code, "passed": check.passed, "figures": figures, "words": check.words,
        "findings": list(check.findings), "backtests": check.backtests, "days": check.days,
    }  # fmt: skip


def check_of(row: HonestyCheck) -> Check:
    """Return the answer that a row keeps."""
    findings: Sequence[str] = row.findings
    return Check(
        CheckCode(row.check_code), row.passed, row.figures, row.words, tuple(findings), row.backtests, row.days
    )
