"""From a strategy's parameter model to the fields of its form, and back."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from enum import Enum
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

import annotated_types
from django import forms
from pydantic import ValidationError
from pydantic.fields import FieldInfo

from apps.strategies.base import JSONValue, Parameters
from apps.strategies.registry import parameters_for, strategy_class
from moondev.domain.errors import InvalidValue

PREFIX = "parameter_"


def form_fields(model: type[Parameters]) -> dict[str, forms.Field]:
    """Return one form field per parameter, named ``parameter_<name>``, in the model's order."""
    return {PREFIX + name: _field(name, info) for name, info in model.model_fields.items()}


def from_form(model: type[Parameters], cleaned: Mapping[str, Any]) -> dict[str, JSONValue]:
    """Return the parameters an operator typed, ready to be validated by `model`; an empty field is its default."""
    typed = {name: cleaned.get(PREFIX + name) for name in model.model_fields}
    return {name: _plain(value) for name, value in typed.items() if value not in (None, "")}


def to_form(model: type[Parameters], stored: Mapping[str, JSONValue]) -> dict[str, Any]:
    """Return the initial values of the form for stored parameters, which need not be valid any more."""
    defaults = {
        name: info.get_default(call_default_factory=True)
        for name, info in model.model_fields.items()
        if not info.is_required()
    }
    values = {name: value for name, value in {**defaults, **stored}.items() if name in model.model_fields}
    return {
        PREFIX + name: json.dumps(value) if isinstance(value, list | dict) else _plain(value)
        for name, value in values.items()
    }


def problems(kind: str, values: Mapping[str, JSONValue]) -> list[InvalidValue]:
    """Return what is wrong with the parameters of strategy `kind`: every wrong field, or else the first contradiction.

    Fields are checked against each other only once each is right by itself.
    """
    try:
        parameters_for(kind, values)
    except InvalidValue as error:
        alone = (_problem(kind, {name: values[name]}) for name in _wrong_fields(kind, values))
        return [problem for problem in alone if problem is not None] or [error]
    return []


def _wrong_fields(kind: str, values: Mapping[str, JSONValue]) -> list[str]:
    try:
        strategy_class(kind).parameters.model_validate(dict(values))
    except ValidationError as error:
        named = (str(detail["loc"][0]) for detail in error.errors() if detail["loc"])
        return [name for name in dict.fromkeys(named) if name in values]
    return []


def _problem(kind: str, values: Mapping[str, JSONValue]) -> InvalidValue | None:
    try:
        parameters_for(kind, values)
    except InvalidValue as error:
        return error
    return None


def _plain(value: object) -> Any:  # noqa: ANN401  any JSON value
    return value.value if isinstance(value, Enum) else value


def _field(name: str, info: FieldInfo) -> forms.Field:
    kind, optional = _kind(info.annotation)
    common: dict[str, Any] = {
        "label": name.replace("_", " ").capitalize(),
        "help_text": _help(info),
        # Where nothing is a value, and the default, an empty field says just that.
        "required": not optional and kind is not bool and info.default != "",
        "error_messages": {"required": f"{name} is empty; allowed: a value"},
    }
    if get_origin(kind) is Literal:
        return forms.TypedChoiceField(
            choices=[(item, str(item)) for item in get_args(kind)], coerce=_member(get_args(kind)), **common
        )
    if isinstance(kind, type) and issubclass(kind, Enum):
        return forms.TypedChoiceField(choices=[(item.value, str(item.value)) for item in kind], **common)
    if kind in NUMBERS:
        word = "a whole number" if kind is int else "a number"
        common["error_messages"]["invalid"] = f"{name} is not a number; allowed: {word}"
        return SIMPLE[kind](widget=forms.NumberInput(_bounds(kind, info)), **common)
    return SIMPLE.get(kind, forms.JSONField)(**common)


def _member(allowed: tuple[Any, ...]) -> Callable[[Any], Any]:
    """Return what turns the text of a choice back into the choice, which need not be text."""
    by_text = {str(item): item for item in allowed}
    return lambda text: by_text.get(str(text), text)


def _kind(annotation: Any) -> tuple[Any, bool]:  # noqa: ANN401  any annotation
    """Return the type behind ``X | None`` and whether None was allowed."""
    if get_origin(annotation) not in (Union, UnionType):
        return annotation, False
    members = [member for member in get_args(annotation) if member is not type(None)]
    return (members[0] if len(members) == 1 else annotation), len(members) < len(get_args(annotation))


def _bounds(kind: type, info: FieldInfo) -> dict[str, str]:
    """Return the bounds for the browser; the model enforces them, with a message that names everything."""
    bounds = {"step": "1" if kind is int else "any"}
    for item in info.metadata:
        for name, bound in (("min", "ge"), ("min", "gt"), ("max", "le"), ("max", "lt")):
            if hasattr(item, bound) and isinstance(item, annotated_types.BaseMetadata):
                bounds[name] = f"{getattr(item, bound):g}"
    return bounds


def _help(info: FieldInfo) -> str:
    """Return the description, the bounds and the default in one line."""
    phrases = (("ge", "at least"), ("gt", "above"), ("le", "at most"), ("lt", "below"))
    limits = [
        f"{phrase} {getattr(item, bound):g}"
        for bound, phrase in phrases
        for item in info.metadata
        if isinstance(item, annotated_types.BaseMetadata) and hasattr(item, bound)
    ]
    allowed = f" Allowed: {', '.join(limits)}." if limits else ""
    default = "" if info.is_required() else f" Default: {_shown(info.get_default(call_default_factory=True))}."
    return f"{info.description or ''}{allowed}{default}".strip()


def _shown(default: object) -> object:
    if default == "":
        return "nothing"
    return {True: "on", False: "off"}[default] if isinstance(default, bool) else _plain(default)


SIMPLE: Mapping[Any, Callable[..., forms.Field]] = {
    bool: forms.BooleanField,
    int: forms.IntegerField,
    float: forms.FloatField,
    str: forms.CharField,
}
NUMBERS = frozenset({int, float})
