"""Parameters from stored JSON, and what is wrong with them in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from apps.strategies.base import JSONValue, Parameters
from moondev.domain.errors import InvalidValue


def parameters_of(model: type[Parameters], values: Mapping[str, JSONValue]) -> Parameters:
    """Return the checked parameters that `values` say; absent ones are the model's defaults.

    Raises InvalidValue, naming field, value and what is allowed, for the first field that does not pass.
    """
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
