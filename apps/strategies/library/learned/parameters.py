"""What an operator may set of a filtered strategy."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from apps.strategies.base import Parameters, Strategy
from apps.strategies.library.consolidation_pop import ConsolidationPop
from apps.strategies.library.mean_reversion import MeanReversion
from apps.strategies.library.nadaraya_watson import NadarayaWatson
from apps.strategies.library.turtle_trend import TurtleTrend
from moondev.domain.errors import InvalidValue

# Those that hold one position at a time in a market, decided on the bars of one length.
INNER: Mapping[str, type[Strategy[Any]]] = MappingProxyType(
    {strategy.name: strategy for strategy in (MeanReversion, ConsolidationPop, NadarayaWatson, TurtleTrend)}
)


class FilteredParameters(Parameters):
    """Whose trades are asked about, and whom to ask."""

    inner: Literal["mean_reversion", "consolidation_pop", "nadaraya_watson", "turtle_trend"] = Field(
        "mean_reversion", description="The strategy whose trades are let through or not."
    )
    inner_preset: str = Field("canonical", description="The preset of that strategy.")
    inner_parameters: str = Field(
        "{}", description='What differs from the preset, as JSON, e.g. {"interval": "5m", "entry_z": 2.5}.'
    )
    artefact: str = Field(
        "", description="Name of the trained filter, as train_filter prints it; empty lets all through."
    )
    threshold: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="Probability of a win from which on a trade is opened; 0 is that of the model card.",
    )

    @model_validator(mode="after")
    def _inner_parameters_fit(self) -> Self:
        self.inside()
        return self

    def inside(self) -> Parameters:
        """Return the checked parameters of the inner strategy. Raises InvalidValue when they are none."""
        return _inside(self.inner, self.inner_preset, self.inner_parameters)


@lru_cache(maxsize=128)
def _inside(inner: str, preset: str, changed: str) -> Parameters:
    """Return what `inside` does; remembered, for every tick asks."""
    strategy = INNER[inner]
    if preset not in strategy.presets:
        raise InvalidValue("inner_preset", preset, ", ".join(strategy.presets))
    try:
        changes = json.loads(changed)
        if not isinstance(changes, dict):
            raise InvalidValue("inner_parameters", changed, "a JSON object")
        return strategy.parameters.model_validate({**strategy.presets[preset].model_dump(mode="json"), **changes})
    except json.JSONDecodeError as error:
        raise InvalidValue("inner_parameters", changed, f"JSON ({error})") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or inner
        raise InvalidValue(f"inner_parameters {where}", first["input"], first["msg"]) from error


# Lets everything through: the inner strategy itself, to compare with.
CANONICAL = FilteredParameters()
