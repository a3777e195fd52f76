"""What a strategy's file must define: one class, whole."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from types import ModuleType
from typing import Any

from apps.strategies.authoring.names import name_checked
from apps.strategies.base import Parameters, Strategy
from moondev.domain.errors import InvalidValue


def strategy_in(module: ModuleType) -> type[Strategy[Any]]:
    """Return the strategy that a module defines. Raises InvalidValue naming what is missing or wrong."""
    defined = [
        thing
        for thing in vars(module).values()
        if isinstance(thing, type) and issubclass(thing, Strategy) and thing.__module__ == module.__name__
    ]
    whole = [one for one in defined if not inspect.isabstract(one)]
    if len(whole) != 1:
        names = ", ".join(one.__name__ for one in whole or defined) or "none"
        raise InvalidValue("classes", names, "one class derived from Strategy, with needs and decide")
    return checked(whole[0])


def checked(idea: type[Strategy[Any]]) -> type[Strategy[Any]]:
    """Return `idea` if its name, its parameters and its presets are what the platform counts on."""
    name_checked(getattr(idea, "name", None))
    model = getattr(idea, "parameters", None)
    if not (isinstance(model, type) and issubclass(model, Parameters)):
        raise InvalidValue("parameters", model, "a class derived from Parameters")
    model.model_json_schema()  # raises here, and not before an operator, when a type cannot be put into a form
    presets = getattr(idea, "presets", None)
    if not isinstance(presets, Mapping) or not presets:
        raise InvalidValue("presets", presets, "a mapping with one set of parameters or more")
    for preset, parameters in presets.items():
        if not isinstance(preset, str) or not preset or "/" in preset or not isinstance(parameters, model):
            raise InvalidValue(f"presets[{preset!r}]", parameters, f"a name, and parameters of type {model.__name__}")
        if model.model_validate(parameters.model_dump(mode="json")) != parameters:
            raise InvalidValue(f"presets[{preset!r}]", parameters, "parameters that survive being stored as JSON")
    return idea
