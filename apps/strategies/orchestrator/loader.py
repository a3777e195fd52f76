"""From the name of an idea to its code, its checked parameters and what it needs to see."""

from __future__ import annotations

import hashlib
import inspect
import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from apps.strategies.base import Parameters, Strategy
from apps.strategies.registry import parameters_for, strategy_class


@dataclass(frozen=True, slots=True)
class Loaded:
    """An idea ready to run: `code_hash` is the SHA-256 of the file it is written in."""

    strategy: Strategy[Any]
    parameters: Parameters
    code_hash: str


def load(kind: str, parameters: dict[str, Any]) -> Loaded:
    """Return the idea `kind` with `parameters`; cached per process, since neither changes under it.

    Raises Configuration for an unknown kind and InvalidValue for parameters it does not accept.
    """
    return _load(kind, json.dumps(parameters, sort_keys=True))


@lru_cache(maxsize=1024)
def _load(kind: str, parameters_json: str) -> Loaded:
    idea = strategy_class(kind)
    return Loaded(idea(), parameters_for(kind, json.loads(parameters_json)), _code_hash(idea))


@lru_cache(maxsize=128)
def _code_hash(idea: type[Strategy[Any]]) -> str:
    source = inspect.getsourcefile(idea)
    return hashlib.sha256(Path(source).read_bytes()).hexdigest() if source else ""
