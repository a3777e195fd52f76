from decimal import Decimal
from enum import Enum
from typing import Annotated, Literal

import pytest
from pydantic import Field, ValidationError, model_validator

from apps.strategies.base import Parameters
from apps.strategies.optimise.from_model import searchable, space_of
from apps.strategies.optimise.overrides import space_for
from apps.strategies.optimise.samplers.random import drawn
from apps.strategies.optimise.space import Choice, Real, Space, Whole
from apps.strategies.optimise.space_json import from_json, to_json
from apps.strategies.registry import STRATEGIES
from moondev.domain.errors import InvalidValue


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Everything(Parameters):
    bars: int = Field(20, ge=2, le=100)
    wide: int = Field(20, ge=1, le=10_000)
    above: int = Field(5, gt=1, lt=9)
    share: float = Field(0.5, gt=0, le=1)
    level: float = Field(10.0, gt=5, lt=50)
    money: Decimal = Field(Decimal(3), ge=1, le=10)
    no_top: float = Field(8.0, ge=2)
    no_bounds: float = 2.0
    falls: float = -4.0
    off: float = Field(0.0, ge=0)
    mode: Literal["a", "b"] = "a"
    colour: Colour = Colour.RED
    maybe: Annotated[int, Field(ge=1, le=3)] | None = 2
    only: Literal["x"] = "x"
    yes: bool = True
    text: str = "hello"


def dimensions():
    return {one.name: one for one in space_of(Everything())}


def test_ranges_come_from_the_constraints_of_the_fields():
    found = dimensions()
    assert found["bars"] == Whole("bars", 2, 100)
    assert found["wide"] == Whole("wide", 1, 10_000, log=True)
    assert found["above"] == Whole("above", 2, 8)
    assert found["share"] == Real("share", 0.001, 1.0, log=True)
    assert 5 < found["level"].low < 5.001
    assert 49.999 < found["level"].high < 50
    assert (found["money"].low, found["money"].high) == (1, 10)
    assert found["mode"] == Choice("mode", ("a", "b"))
    assert found["colour"] == Choice("colour", ("red", "blue"))
    assert found["yes"] == Choice("yes", (False, True))


def test_a_missing_bound_lies_around_the_value_of_the_preset():
    found = dimensions()
    assert (found["no_top"].low, found["no_top"].high) == (2, 32)
    assert (found["no_bounds"].low, found["no_bounds"].high) == (0.5, 8)
    assert (found["falls"].low, found["falls"].high) == (-16, -1)


def test_what_has_no_range_is_not_searched():
    assert {"off", "only", "text"}.isdisjoint(dimensions())


def test_every_draw_is_within_the_bounds_of_its_field():
    import numpy as np

    space, rng = searchable(Everything()), np.random.default_rng(3)
    for _ in range(300):
        Everything.model_validate({**Everything().model_dump(), **drawn(space, rng)})


@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda strategy: strategy.name)
def test_every_strategy_has_a_space_whose_fields_pass_one_by_one(strategy):
    import numpy as np

    rng = np.random.default_rng(5)
    for preset in strategy.presets.values():
        space = searchable(preset)
        assert len(space.names) >= 10
        for unit in (0.0, 1 - 1e-12, *rng.random(4)):
            for dimension in space.dimensions:
                _passes_alone(strategy.parameters, dimension.name, dimension.value(float(unit)))


def _passes_alone(model, name, value):
    """Validate one field: what the other fields say against it is what pruning is for."""
    errors = []
    try:
        model.model_validate({name: value})
    except ValidationError as error:
        errors = [one["loc"] for one in error.errors()]
    assert errors in ([], [()]), (name, value)


def test_a_space_survives_json():
    space = searchable(Everything())
    assert from_json(to_json(space)) == space
    with pytest.raises(InvalidValue, match="whole, real, choice"):
        from_json([{"kind": "other", "name": "x"}])


@pytest.mark.parametrize(
    ("typed", "dimension"),
    [
        ("bars=5:10", Whole("bars", 5, 10)),
        ("bars=5:25:5", Whole("bars", 5, 25, 5)),
        ("wide=1:1000:log", Whole("wide", 1, 1000, log=True)),
        ("share=0.1:0.9", Real("share", 0.1, 0.9)),
        ("share=0.1:0.9:0.2", Real("share", 0.1, 0.9, 0.2)),
        ("share=0.001:1:log", Real("share", 0.001, 1.0, log=True)),
        ("bars=5|7|9", Choice("bars", (5, 7, 9))),
        ("mode=a", Choice("mode", ("a",))),
        ("yes=true|false", Choice("yes", (True, False))),
        ("text=one|two", Choice("text", ("one", "two"))),
        ("off=0:3", Real("off", 0.0, 3.0)),
    ],
)
def test_ranges_can_be_typed(typed, dimension):
    assert space_for(Everything(), [typed]) == Space((dimension,))


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("nothing=1:2", "a parameter of the strategy"),
        ("bars=1:10", "at least 2"),
        ("bars=2:1000", "at most 100"),
        ("share=0:1", "above 0"),
        ("level=6:50", "below 50"),
        ("bars=10:5", "a low and a high"),
        ("bars=2.5:5", "whole numbers"),
        ("bars=2:5:7:9", "name=low:high"),
        ("bars=two:5", "name=low:high"),
        ("mode=a|c", "no value of this parameter"),
        ("mode=a|a", "different options"),
        ("off=0:3:log", "above 0 for a log scale"),
        ("share=0.1:0.9:3", "fits the range"),
    ],
)
def test_what_cannot_be_searched_is_refused_with_the_reason(typed, words):
    with pytest.raises(InvalidValue, match=words):
        space_for(Everything(), [typed])


def test_typed_ranges_go_beside_chosen_ones():
    assert space_for(Everything(), ["bars=5:10"], ["mode", "share"]).names == ("mode", "share", "bars")
    assert len(space_for(Everything()).names) == len(dimensions())
    with pytest.raises(InvalidValue, match="search"):
        space_for(Everything(), (), ["text"])


class Ordered(Parameters):
    fast: int = Field(10, ge=1, le=50)
    slow: int = Field(20, ge=1, le=50)

    @model_validator(mode="after")
    def _in_order(self):
        if self.fast >= self.slow:
            raise InvalidValue("fast", self.fast, "less than slow")
        return self


def test_rules_between_fields_do_not_narrow_the_space():
    assert searchable(Ordered()).names == ("fast", "slow")
