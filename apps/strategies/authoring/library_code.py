"""What names the code of a strategy that comes with the platform: its file and the rooms it is written in."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

from apps.strategies.authoring.imports import closure
from apps.strategies.authoring.source import hash_of
from apps.strategies.base import Strategy
from moondev.settings.env import PROJECT_ROOT

# Where strategies are written. What lies elsewhere (values, the order path) is the platform's, and has its own version.
ROOMS = ("apps.strategies.library.", "apps.strategies.indicators.")


def library_hash(strategy: type[Strategy[Any]]) -> str:
    """Return a SHA-256 of the file of `strategy` and of every file of the library and the indicators it needs.

    Reads them all: to be remembered. Empty for a class that is in no file.
    """
    module = strategy.__module__
    file = inspect.getsourcefile(strategy)
    if file is None:
        return ""
    own = Path(file).read_text(encoding="utf-8")

    def find(name: str) -> str | None:
        return own if name == module else _room(name)

    return hash_of(closure(module, find))


def _room(name: str) -> str | None:
    if not name.startswith(ROOMS):
        return None
    stem = PROJECT_ROOT.joinpath(*name.split("."))
    for path in (stem / "__init__.py", stem.with_suffix(".py")):
        if path.is_file():
            return path.read_text(encoding="utf-8")
    return None
