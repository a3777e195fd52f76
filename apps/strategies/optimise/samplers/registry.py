"""Which samplers there are, by the name that people type."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType

from apps.strategies.optimise.samplers.grid import Grid
from apps.strategies.optimise.samplers.nsga2 import Nsga2
from apps.strategies.optimise.samplers.port import Sampler
from apps.strategies.optimise.samplers.quasi import LatinHypercube, Sobol
from apps.strategies.optimise.samplers.random import Random
from apps.strategies.optimise.samplers.surrogate import Forest, GaussianProcess, Surrogate
from apps.strategies.optimise.samplers.tpe import Tpe
from moondev.domain.errors import InvalidValue

_SAMPLERS: Mapping[str, Callable[[], Sampler]] = MappingProxyType(
    {
        "tpe": Tpe,
        "random": Random,
        "grid": Grid,
        "sobol": Sobol,
        "latin": LatinHypercube,
        "surrogate": partial(Surrogate, GaussianProcess),
        "forest": partial(Surrogate, Forest),
        "nsga2": Nsga2,
    }
)


def sampler_names() -> tuple[str, ...]:
    """Return the names of all samplers."""
    return tuple(_SAMPLERS)


def sampler(name: str, objectives: int = 1) -> Sampler:
    """Return the sampler called `name`. Raises InvalidValue for one there is not, or that takes fewer objectives."""
    if name not in _SAMPLERS:
        raise InvalidValue("sampler", name, ", ".join(_SAMPLERS))
    found = _SAMPLERS[name]()
    if found.most_objectives is not None and objectives > found.most_objectives:
        raise InvalidValue("sampler", name, f"one that takes {objectives} objectives, such as nsga2 or tpe")
    return found
