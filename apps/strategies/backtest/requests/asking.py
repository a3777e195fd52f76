"""From the name of an idea to a request: a kind of strategy with a preset, or a strategy as it is set up to trade."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, TypedDict, Unpack

from django.db import OperationalError

from apps.exchanges.market_data.history.lake import configured_lake
from apps.exchanges.market_data.history.series import Kind, SeriesKey, interval_text
from apps.exchanges.models import InstrumentRow
from apps.risk.sizing.book import read_sizing
from apps.strategies.backtest.requests.names import LAKE
from apps.strategies.backtest.requests.request import BacktestRequest
from apps.strategies.backtest.requests.rules import instruments_of
from apps.strategies.base import JSONValue
from apps.strategies.models import StrategyRow
from apps.strategies.orchestrator.loader import load
from apps.strategies.registry import parameters_for, preset, preset_names
from moondev.domain.errors import InvalidValue

USUAL_PRESET = "canonical"


class Terms(TypedDict, total=False):
    """What may be asked for besides the idea and its data; absent is the strategy's own, or the default."""

    funding: tuple[str, ...]
    start: Any
    end: Any
    capital: float
    leverage: float
    rule: str
    engine: str
    maker_bps: float | None
    taker_bps: float | None
    spread_bps: float
    slippage_bps: float
    shift_ms: float
    latency_ms: float
    queue: str
    assumed_bps: float


def request_for(
    idea: str,
    *,
    data: Sequence[str] = (),
    preset_name: str = "",
    changed: Mapping[str, JSONValue] | None = None,
    **terms: Unpack[Terms],
) -> BacktestRequest:
    """Return the request for `idea`, the slug of a strategy or a kind of strategies.

    A strategy brings its money and instruments, and its parameters unless a preset is named; `changed` ones come last.
    Raises Configuration for an idea or preset that there is not, InvalidValue for what does not fit.
    """
    row = _row_called(idea)
    if row is not None:
        return _of_row(row, data, preset_name, changed or {}, terms)
    name = preset_name or _usual_preset(idea)
    values = {**preset(idea, name).model_dump(mode="json"), **(changed or {})}
    parameters = parameters_for(idea, values).model_dump(mode="json")
    return BacktestRequest(idea, parameters, tuple(data), f"{name}, changed" if changed else name, **terms)


def _usual_preset(kind: str) -> str:
    """Return the preset that is meant when none is named: canonical, or the first there is."""
    names = preset_names(kind)
    return USUAL_PRESET if USUAL_PRESET in names or not names else names[0]


def _row_called(slug: str) -> StrategyRow | None:
    try:
        return StrategyRow.objects.filter(slug=slug).first()
    except OperationalError:
        # Kinds can be tried on a machine that has no platform.
        return None


def _of_row(
    row: StrategyRow,
    data: Sequence[str],
    preset_name: str,
    changed: Mapping[str, JSONValue],
    terms: Mapping[str, Any],
) -> BacktestRequest:
    base = preset(row.kind, preset_name).model_dump(mode="json") if preset_name else row.parameters
    parameters = parameters_for(row.kind, {**base, **changed}).model_dump(mode="json")
    own = {
        "capital": float(row.capital),
        "leverage": float(row.leverage),
        "reprice_bps": float(row.reprice_bps),
        "sizing": read_sizing([row.slug]).rule(row.slug).to_json(),
        **terms,
    }
    return BacktestRequest(
        kind=row.kind,
        parameters=parameters,
        data=tuple(data) or tuple(_kept(row, parameters)),
        preset=", ".join(filter(None, (preset_name, "changed" if changed else ""))),
        strategy=row.slug,
        parameters_version=None if changed or preset_name else row.parameters_version,
        **own,
    )


def _kept(row: StrategyRow, parameters: dict[str, Any]) -> list[str]:
    """Return the kept bars of the strategy's instruments. Raises InvalidValue when they are not kept."""
    instruments = instruments_of(row.slug)
    loaded = load(row.kind, parameters)
    needs = loaded.strategy.needs(loaded.parameters, tuple(one.to_domain() for one in instruments))
    return [_kept_of(one, list(needs.bars)) for one in instruments]


def _kept_of(instrument: InstrumentRow, wanted: Sequence[timedelta]) -> str:
    found = [
        key.interval
        for key in configured_lake().series()
        if (key.venue, key.symbol, key.kind) == (instrument.venue_id, instrument.symbol, Kind.CANDLES)
        and key.interval is not None
        and all(not one % key.interval for one in wanted)
    ]
    if not found:
        lengths = ", ".join(map(interval_text, wanted)) or "any length"
        raise InvalidValue("data", f"no bars of {instrument.key} are kept", f"--data, or kept candles for {lengths}")
    key = SeriesKey(instrument.venue_id, Kind.CANDLES, instrument.symbol, max(found))
    return f"{LAKE}{key.venue}:{key.symbol}:{interval_text(max(found))}"
