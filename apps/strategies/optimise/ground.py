"""What every trial of a run is tried on: loaded once in a process and kept for the next trial."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from apps.strategies.backtest.bars import step_ms
from apps.strategies.backtest.cuts import timeline
from apps.strategies.backtest.requests.request import request_of_json
from apps.strategies.backtest.requests.setting import prepare
from apps.strategies.backtest.setting import Setting
from apps.strategies.backtest.shelf import shelf_folder
from apps.strategies.backtest.vectorised import Ground as Markets
from apps.strategies.optimise.plan import Plan
from apps.strategies.optimise.windows import WalkFold, walk_folds
from moondev.domain.clock import milliseconds
from moondev.domain.errors import InvalidValue

# A worker may serve several runs in turn; each of these holds a year of bars or more.
SETTINGS_KEPT = 4


@dataclass(frozen=True, slots=True)
class Ground:
    """Markets with their past, made ready for any number of parameter sets, and the folds it is cut into."""

    markets: Markets
    folds: tuple[WalkFold, ...]


def ground_of(plan: Plan, data_hash: str) -> Ground:
    """Return the ground of a plan. Raises InvalidValue when its data are not those with `data_hash` any more."""
    markets = _markets(json.dumps(plan.request.to_json(), sort_keys=True), plan.folder, data_hash)
    return Ground(markets, folds_of(plan, markets.setting))


def folds_of(plan: Plan, setting: Setting) -> tuple[WalkFold, ...]:
    """Return the folds over what is traded of the past. Raises InvalidValue when it is too short for them."""
    opened = timeline(setting)
    if setting.trades_from is not None:
        opened = opened[opened >= milliseconds(setting.trades_from)]
    return walk_folds(opened + step_ms(setting.interval), plan.folds, plan.purge_bars)


def hash_of(setting: Setting) -> str:
    """Return one hash of every bar of every market."""
    hashes = sorted(f"{market.key}={market.recorded.source.content_hash}" for market in setting.markets)
    return hashlib.sha256("\n".join(hashes).encode()).hexdigest()


def load_setting(plan: Plan) -> Setting:
    """Return the plan's markets, read and checked now. Raises as `prepare` does."""
    return prepare(plan.request, Path(plan.folder) if plan.folder else shelf_folder()).setting


@lru_cache(maxsize=SETTINGS_KEPT)
def _markets(request: str, folder: str, data_hash: str) -> Markets:
    asked = request_of_json(json.loads(request))
    setting = prepare(asked, Path(folder) if folder else shelf_folder()).setting
    found = hash_of(setting)
    if found != data_hash:
        raise InvalidValue("data", found[:12], f"the data the run began with ({data_hash[:12]}); start a new run")
    return Markets(setting)
