"""From a strategy's parameter model to the fields of its form, and back."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from enum import Enum
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

import annotated_types
from django import forms
from pydantic.fields import FieldInfo

from apps.strategies.base import JSONValue, Parameters

PREFIX = "parameter_"


def form_fields(model: type[Parameters]) -> dict[str, forms.Field]:
    """Return one form field per parameter, named ``parameter_<name>``, in the model's order."""
    return {PREFIX + name: _field(name, info) for name, info in model.model_fields.items()}


def from_form(model: type[Parameters], cleaned: Mapping[str, Any]) -> dict[str, JSONValue]:
    """Return the parameters an operator typed, ready to be validated by `model`; an empty field is its default."""
    typed = {name: cleaned.get(PREFIX + name) for name in model.model_fields}
    return {name: _plain(value) for name, value in typed.items() if value not in (None, "")}


def to_form(parameters: Parameters) -> dict[str, Any]:
    """Return the initial values of the form for `parameters`."""
    values = parameters.model_dump(mode="json")
    return {
        PREFIX + name: json.dumps(value) if isinstance(value, list | dict) else value for name, value in values.items()
    }


def _plain(value: object) -> Any:  # noqa: ANN401  any JSON value
    return value.value if isinstance(value, Enum) else value


def _field(name: str, info: FieldInfo) -> forms.Field:
    kind, optional = _kind(info.annotation)
    common: dict[str, Any] = {
        "label": name.replace("_", " "),
        "help_text": _help(info),
        "required": not optional and kind is not bool,
    }
    if get_origin(kind) is Literal:
        return forms.TypedChoiceField(choices=[(item, str(item)) for item in get_args(kind)], **common)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return forms.TypedChoiceField(choices=[(item.value, str(item.value)) for item in kind], **common)
    make = SIMPLE.get(kind)
    if make is None:
        return forms.JSONField(**common)
    return make(**common, **_bounds(info)) if kind in NUMBERS else make(**common)


def _kind(annotation: Any) -> tuple[Any, bool]:  # noqa: ANN401  any annotation
    """Return the type behind ``X | None`` and whether None was allowed."""
    if get_origin(annotation) not in (Union, UnionType):
        return annotation, False
    members = [member for member in get_args(annotation) if member is not type(None)]
    return (members[0] if len(members) == 1 else annotation), len(members) < len(get_args(annotation))


def _bounds(info: FieldInfo) -> dict[str, float]:
    """Return the closed bounds; open ones are left to the model, whose message names them."""
    bounds: dict[str, Any] = {}
    for item in info.metadata:
        if isinstance(item, annotated_types.Ge):
            bounds["min_value"] = item.ge
        if isinstance(item, annotated_types.Le):
            bounds["max_value"] = item.le
    return bounds


def _help(info: FieldInfo) -> str:
    default = "" if info.is_required() else f" Default: {info.get_default(call_default_factory=True)}."
    return f"{info.description or ''}{default}".strip()


SIMPLE: Mapping[Any, Callable[..., forms.Field]] = {
    bool: forms.BooleanField,
    int: forms.IntegerField,
    float: forms.FloatField,
    str: forms.CharField,
}
NUMBERS = frozenset({int, float})
