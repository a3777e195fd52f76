"""Which strategies exist: by name, with their presets, and parameters checked before use."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from apps.strategies.base import JSONValue, Parameters, Strategy
from apps.strategies.library.arbitrage import Arbitrage
from apps.strategies.library.consolidation_pop import ConsolidationPop
from apps.strategies.library.correlation import Correlation
from apps.strategies.library.market_maker import MarketMaker
from apps.strategies.library.mean_reversion import MeanReversion
from apps.strategies.library.nadaraya_watson import NadarayaWatson
from apps.strategies.library.turtle_trend import TurtleTrend
from moondev.domain.errors import Configuration, InvalidValue

# A strategy's own type of parameters does not matter to those who only call it by name.
AnyStrategy = Strategy[Any]

STRATEGIES: tuple[type[AnyStrategy], ...] = (
    MarketMaker,
    TurtleTrend,
    MeanReversion,
    ConsolidationPop,
    NadarayaWatson,
    Correlation,
    Arbitrage,
)
_BY_NAME: Mapping[str, type[AnyStrategy]] = MappingProxyType({s.name: s for s in STRATEGIES})


def strategy_names() -> tuple[str, ...]:
    """Return the names of all strategies."""
    return tuple(_BY_NAME)


def strategy_class(name: str) -> type[AnyStrategy]:
    """Return the strategy called `name`. Raises Configuration naming those there are."""
    try:
        return _BY_NAME[name]
    except KeyError:
        allowed = ", ".join(_BY_NAME)
        raise Configuration(f"strategy is {name!r}; allowed: {allowed}") from None


def preset_names(name: str) -> tuple[str, ...]:
    """Return the presets of strategy `name`. Raises Configuration for an unknown strategy."""
    return tuple(strategy_class(name).presets)


def preset(name: str, preset_name: str) -> Parameters:
    """Return one preset of strategy `name`. Raises Configuration naming those there are."""
    presets = strategy_class(name).presets
    try:
        return presets[preset_name]
    except KeyError:
        allowed = ", ".join(presets)
        message = f"preset of {name} is {preset_name!r}; allowed: {allowed}"
        raise Configuration(message) from None


def parameters_for(name: str, values: Mapping[str, JSONValue]) -> Parameters:
    """Return the checked parameters of strategy `name` from stored JSON; absent fields default.

    Raises Configuration for an unknown strategy and InvalidValue, naming field, value and what is
    allowed, for the first field that does not pass.
    """
    model = strategy_class(name).parameters
    if not isinstance(values, Mapping):
        raise InvalidValue("parameters", values, "an object with one entry per parameter")
    try:
        return model.model_validate(dict(values))
    except ValidationError as error:
        raise _explained(model, error.errors()[0]) from error


def _explained(model: type[Parameters], detail: ErrorDetails) -> InvalidValue:
    """Return the field, the value and what is allowed instead of pydantic's own words."""
    cause = detail.get("ctx", {}).get("error")
    if isinstance(cause, InvalidValue):
        return InvalidValue(cause.field, cause.value, cause.allowed)
    field = ".".join(str(part) for part in detail["loc"]) or "parameters"
    if detail["type"] == "extra_forbidden":
        return InvalidValue(field, detail["input"], f"only {', '.join(model.model_fields)}")
    return InvalidValue(field, detail["input"], _allowed(model, field))


def _allowed(model: type[Parameters], field: str) -> str:
    """Return what the schema of `field` admits, in words."""
    schema: dict[str, Any] = model.model_json_schema()["properties"].get(field, {})
    if "enum" in schema:
        return "one of " + ", ".join(map(str, schema["enum"]))
    words = {"integer": "a whole number", "number": "a number", "boolean": "true or false"}
    text = words.get(schema.get("type", ""), "text")
    bounds = {
        "minimum": "of at least",
        "exclusiveMinimum": "above",
        "maximum": "of at most",
        "exclusiveMaximum": "below",
    }
    limits = [f"{phrase} {schema[key]:g}" for key, phrase in bounds.items() if key in schema]
    return " ".join((text, " and ".join(limits))).strip()
