from __future__ import annotations

from typing import Literal

import pytest
from django import forms
from pydantic import Field

from apps.strategies.admin.parameter_fields import PREFIX, form_fields, from_form, problems, to_form
from apps.strategies.base import Parameters
from apps.strategies.registry import parameters_for, preset, preset_names, strategy_class, strategy_names

PRESETS = [(kind, name) for kind in strategy_names() for name in preset_names(kind)]


class Sample(Parameters):
    bars: int = Field(20, ge=2, le=500, description="How many bars.")
    share: float = Field(0.5, gt=0, lt=1, description="How much.")
    fast: bool = Field(False, description="Whether to hurry.")
    side: Literal["long", "short"] = "long"
    levels: Literal[1, 2] = 1
    note: str | None = None
    weights: list[float] = Field(default_factory=lambda: [1.0])


def bound(model: type[Parameters], data: dict[str, object]) -> forms.Form:
    return type("Bound", (forms.Form,), form_fields(model))(data)


def test_each_parameter_has_a_field_of_its_own_type():
    types = {name.removeprefix(PREFIX): type(field) for name, field in form_fields(Sample).items()}
    assert types == {
        "bars": forms.IntegerField,
        "share": forms.FloatField,
        "fast": forms.BooleanField,
        "side": forms.TypedChoiceField,
        "levels": forms.TypedChoiceField,
        "note": forms.CharField,
        "weights": forms.JSONField,
    }


def test_the_help_says_what_is_allowed_and_what_is_usual():
    helps = {name.removeprefix(PREFIX): field.help_text for name, field in form_fields(Sample).items()}
    assert helps["bars"] == "How many bars. Allowed: at least 2, at most 500. Default: 20."
    assert helps["share"] == "How much. Allowed: above 0, below 1. Default: 0.5."
    assert helps["fast"] == "Whether to hurry. Default: off."


def test_the_browser_knows_the_bounds_of_numbers():
    widget = form_fields(Sample)[f"{PREFIX}bars"].widget
    assert (widget.attrs["min"], widget.attrs["max"], widget.attrs["step"]) == ("2", "500", "1")


@pytest.mark.parametrize(("kind", "name"), PRESETS)
def test_every_preset_survives_the_way_through_its_form(kind, name):
    model, parameters = strategy_class(kind).parameters, preset(kind, name)
    shown = to_form(model, parameters.model_dump(mode="json"))
    posted = {field: value for field, value in shown.items() if value is not False}
    form = bound(model, posted)
    assert form.is_valid(), form.errors
    assert parameters_for(kind, from_form(model, form.cleaned_data)) == parameters


def test_a_choice_that_is_a_number_stays_one():
    form = bound(Sample, to_form(Sample, {"levels": 2}))
    assert form.is_valid()
    assert from_form(Sample, form.cleaned_data)["levels"] == 2


def test_an_unticked_box_is_no_and_an_empty_field_its_default():
    form = bound(Sample, {f"{PREFIX}bars": "7", f"{PREFIX}share": "0.1", f"{PREFIX}side": "short"})
    form.is_valid()
    assert from_form(Sample, form.cleaned_data) == {"bars": 7, "share": 0.1, "fast": False, "side": "short"}


def test_stored_parameters_that_no_longer_fit_are_shown_and_strangers_left_out():
    shown = to_form(Sample, {"bars": 9_999, "gone": 1})
    assert shown[f"{PREFIX}bars"] == 9_999
    assert f"{PREFIX}gone" not in shown
    assert shown[f"{PREFIX}share"] == 0.5


def test_every_wrong_parameter_is_named_at_once():
    found = problems("turtle_trend", {"n_bars": 1, "risk_percent": 50, "max_units": 4})
    assert {error.field: str(error) for error in found} == {
        "n_bars": "n_bars is 1; allowed: a whole number of at least 2 and of at most 200",
        "risk_percent": "risk_percent is 50; allowed: a number above 0 and of at most 5",
    }


def test_parameters_that_contradict_each_other_are_named():
    (error,) = problems("turtle_trend", {"s1_entry_bars": 10, "s1_exit_bars": 10})
    assert str(error) == "s1_exit_bars is 10; allowed: less than s1_entry_bars (10)"


def test_a_wrong_parameter_makes_no_others_look_wrong():
    found = problems("turtle_trend", {"s1_entry_bars": 1, "s1_exit_bars": 50})
    assert [error.field for error in found] == ["s1_entry_bars"]


def test_good_parameters_have_no_problems():
    assert problems("turtle_trend", {"n_bars": 20}) == []
