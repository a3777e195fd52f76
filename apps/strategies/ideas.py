"""An idea that can be run: its class, the hash of the code it is written in, and its parameters from storage."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from apps.strategies.base import JSONValue, Parameters, Strategy
from apps.strategies.parameters import parameters_of


class Idea:
    """A strategy by its class. `code_hash` is a SHA-256 of the file it is written in and of all that file needs."""

    def __init__(self, strategy: type[Strategy[Any]], code_hash: str) -> None:
        """Hold a class and its hash; parameters that were checked are remembered as long as this lives."""
        self.strategy, self.code_hash = strategy, code_hash
        self._checked = lru_cache(maxsize=1024)(self._check)

    def stored(self, values: Mapping[str, JSONValue]) -> Parameters:
        """Return checked parameters from JSON as a row stores it; absent fields default.

        Raises InvalidValue, naming field, value and what is allowed, for the first field that does not pass.
        """
        return self._checked(json.dumps(values, sort_keys=True))

    def _check(self, values_json: str) -> Parameters:
        return parameters_of(self.strategy.parameters, json.loads(values_json))
