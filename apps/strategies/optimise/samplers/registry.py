"""Which samplers there are, by the name that people type."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from types import MappingProxyType
from typing import cast

from apps.strategies.optimise.samplers.port import Sampler
from moondev.domain.errors import InvalidValue


def _made(module: str, name: str, model: str = "") -> Sampler:
    """Return a sampler whose module is imported only now.

    The admin lists samplers, and every process loads the admin: scipy, scikit-learn and optuna would cost each of them
    two seconds and some hundred megabytes.
    """
    found = import_module(f"apps.strategies.optimise.samplers.{module}")
    models = (getattr(found, model),) if model else ()
    return cast("Sampler", getattr(found, name)(*models))


_SAMPLERS: Mapping[str, Callable[[], Sampler]] = MappingProxyType(
    {
        "tpe": partial(_made, "tpe", "Tpe"),
        "random": partial(_made, "random", "Random"),
        "grid": partial(_made, "grid", "Grid"),
        "sobol": partial(_made, "quasi", "Sobol"),
        "latin": partial(_made, "quasi", "LatinHypercube"),
        "surrogate": partial(_made, "surrogate", "Surrogate", "GaussianProcess"),
        "forest": partial(_made, "surrogate", "Surrogate", "Forest"),
        "nsga2": partial(_made, "nsga2", "Nsga2"),
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
