"""Which strategies exist: the library's and the user's own, by name, with presets and checked parameters."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from apps.strategies.authoring.catalogue import catalogue
from apps.strategies.authoring.library_code import library_hash
from apps.strategies.base import JSONValue, Parameters, Strategy
from apps.strategies.ideas import Idea
from apps.strategies.library.arbitrage import Arbitrage
from apps.strategies.library.consolidation_pop import ConsolidationPop
from apps.strategies.library.correlation import Correlation
from apps.strategies.library.filtered import Filtered
from apps.strategies.library.market_maker import MarketMaker
from apps.strategies.library.mean_reversion import MeanReversion
from apps.strategies.library.nadaraya_watson import NadarayaWatson
from apps.strategies.library.turtle_trend import TurtleTrend
from apps.strategies.parameters import parameters_of
from moondev.domain.errors import Configuration

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
# Ideas about another idea's trades.
WRAPPERS: tuple[type[AnyStrategy], ...] = (Filtered,)
_BY_NAME: Mapping[str, type[AnyStrategy]] = MappingProxyType({s.name: s for s in (*STRATEGIES, *WRAPPERS)})


def library_names() -> tuple[str, ...]:
    """Return the names of the strategies that come with the platform."""
    return tuple(_BY_NAME)


def strategy_names() -> tuple[str, ...]:
    """Return the names of all strategies: the library's, then the user's own that are loaded now."""
    return (*_BY_NAME, *catalogue().names())


def idea(name: str) -> Idea:
    """Return the strategy called `name` in its present version. Raises Configuration naming those there are.

    An operator's own strategy may be replaced at any time: who needs it more than once for one answer keeps this.
    """
    strategy = _BY_NAME.get(name)
    if strategy is not None:
        return _library_idea(strategy)
    own = catalogue().version(name)
    if own is None:
        raise Configuration(f"strategy is {name!r}; allowed: {', '.join(strategy_names())}")
    return own


def strategy_class(name: str) -> type[AnyStrategy]:
    """Return the strategy called `name`. Raises Configuration naming those there are."""
    return idea(name).strategy


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
    return parameters_of(strategy_class(name).parameters, values)


@lru_cache(maxsize=128)
def _library_idea(strategy: type[AnyStrategy]) -> Idea:
    return Idea(strategy, library_hash(strategy))
