import pytest

from apps.strategies.library.market_maker import MarketMaker
from apps.strategies.library.turtle_trend import TurtleTrend
from apps.strategies.registry import (
    STRATEGIES,
    parameters_for,
    preset,
    preset_names,
    strategy_class,
    strategy_names,
)
from moondev.domain.errors import Configuration, InvalidValue


def test_finds_strategies_by_name() -> None:
    assert strategy_class("turtle_trend") is TurtleTrend
    assert strategy_class("market_maker") is MarketMaker
    # Other tests of the run may have put strategies of their own beside the library's.
    assert {strategy.name for strategy in STRATEGIES} <= set(strategy_names())
    assert tuple(strategy_names())[:2] == ("market_maker", "turtle_trend")


def test_an_unknown_strategy_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(Configuration, match="strategy is 'turtel'; allowed: market_maker, turtle_trend"):
        strategy_class("turtel")


def test_every_strategy_has_the_two_promised_presets_and_they_survive_storage() -> None:
    for strategy in STRATEGIES:
        assert {"canonical", "original"} <= set(preset_names(strategy.name))
        for name in preset_names(strategy.name):
            chosen = preset(strategy.name, name)
            assert parameters_for(strategy.name, chosen.model_dump(mode="json")) == chosen


def test_an_unknown_preset_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(Configuration, match="preset of turtle_trend is 'x'; allowed: canonical, original, fast"):
        preset("turtle_trend", "x")


def test_absent_fields_take_their_defaults() -> None:
    assert parameters_for("turtle_trend", {}) == preset("turtle_trend", "canonical")


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("turtle_trend", {"max_units": 0}, "max_units is 0; allowed: a whole number of at least 1 and of at most 12"),
        ("turtle_trend", {"max_units": "many"}, "max_units is 'many'; allowed: a whole number of at least 1"),
        ("turtle_trend", {"risk_percent": 0}, "risk_percent is 0; allowed: a number above 0 and of at most 5"),
        ("turtle_trend", {"risk_percent": float("nan")}, "risk_percent is nan; allowed: a number"),
        ("turtle_trend", {"interval": "2m"}, "interval is '2m'; allowed: one of 1m, 5m, 15m, 1h, 4h, 1d"),
        ("turtle_trend", {"session_only": "perhaps"}, "session_only is 'perhaps'; allowed: true or false"),
        ("turtle_trend", {"s1_exit_bars": 20}, r"s1_exit_bars is 20; allowed: less than s1_entry_bars \(20\)"),
        ("turtle_trend", {"stop": 2}, "stop is 2; allowed: only interval, system"),
        ("market_maker", {"level_split_percent": "20/40/50"}, "level_split_percent is '20/40/50'; allowed: positive"),
        ("market_maker", {"level_split_percent": "a/b"}, "level_split_percent is 'a/b'; allowed: numbers"),
        ("market_maker", {"level_split_percent": 100}, "level_split_percent is 100; allowed: text"),
        ("market_maker", {"level_split_percent": "nan"}, "level_split_percent is 'nan'; allowed: positive"),
        ("market_maker", {"zone_distances_bps": "9/9/50"}, "zone_distances_bps is '9/9/50'; allowed: rising"),
        ("market_maker", {"zone_distances_bps": "9/nan/50"}, "zone_distances_bps is '9/nan/50'; allowed: rising"),
        (
            "market_maker",
            {"model": "zone", "level_split_percent": "50/50"},
            "zone_distances_bps is '9/30/50'; allowed: 2 distances",
        ),
        ("market_maker", {"max_inventory_percent": 1}, "max_inventory_percent is 1.0; allowed: order_weight_percent"),
        ("market_maker", {"spike_bars": 19}, "spike_bars is 19; allowed: at least 2 less"),
        ("market_maker", {"min_volatility_bars": 100}, "min_volatility_bars is 100; allowed: volatility_bars"),
        ("market_maker", {"zone_fresh_extreme_bars": 180}, "zone_fresh_extreme_bars is 180; allowed: less than"),
    ],
)
def test_a_bad_parameter_is_refused_by_name_value_and_what_is_allowed(
    name: str, values: dict[str, object], message: str
) -> None:
    with pytest.raises(InvalidValue, match=message):
        parameters_for(name, values)  # type: ignore[arg-type]


def test_parameters_that_are_no_object_are_refused() -> None:
    with pytest.raises(InvalidValue, match="parameters is 'fast'; allowed: an object"):
        parameters_for("turtle_trend", "fast")  # type: ignore[arg-type]


def test_every_parameter_explains_itself_and_is_of_a_simple_kind() -> None:
    for strategy in STRATEGIES:
        for name, field in strategy.parameters.model_json_schema()["properties"].items():
            assert field["description"].endswith("."), f"{strategy.name}.{name}"
            assert field["type"] in {"string", "number", "integer", "boolean"}, f"{strategy.name}.{name}"
