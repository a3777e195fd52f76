"""Checks one file, wherever it lies, as an author does before it goes into the folder."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from apps.strategies.authoring.candidates import Unusable, found_in
from apps.strategies.authoring.catalogue import catalogue
from apps.strategies.authoring.folder import read
from apps.strategies.authoring.source import Source
from apps.strategies.authoring.trial import Asked, Outcome, tried
from apps.strategies.authoring.version import BrokenStrategy
from moondev.domain.errors import InvalidValue

SECONDS = 300.0


def check(path: Path, library: Collection[str]) -> Outcome:
    """Load the strategy in `path` in a process of its own and examine it. Raises InvalidValue when there is no file."""
    found = source_at(path)
    if isinstance(found, Unusable):
        return Outcome(error=found.error)
    return tried(Asked(found, taken=frozenset(library), examine=True), SECONDS)


def idea_named(text: str, library: Collection[str]) -> str:
    """Return the kind that a person means: `text` itself, or that of the file `text` names, for this process alone.

    Raises InvalidValue for a file that is none, and for one that defines no strategy.
    """
    if not text.endswith(".py"):
        return text
    found = source_at(Path(text))
    if isinstance(found, Unusable):
        raise InvalidValue("strategy", text, f"a file that is a strategy; {found.error}")
    try:
        name = catalogue().show(found)
    except BrokenStrategy as error:
        raise InvalidValue("strategy", text, f"a file that is a strategy; {error}") from error
    if name in library:
        raise InvalidValue("name", name, "a name that no strategy of the library has")
    return name


def source_at(path: Path) -> Source | Unusable:
    """Return the strategy in a file with what it imports of its folder.

    Raises InvalidValue for what cannot be a file of strategies, FolderGone for a folder that cannot be read.
    """
    path = path.absolute()
    if path.suffix != ".py" or not path.stem.isidentifier():
        raise InvalidValue("path", str(path), "a file whose name ends in .py and can be imported")
    found = found_in(read(path.parent), {path.name}).get(path.name)
    if found is None:
        raise InvalidValue("path", str(path), "a file that is there and is no test and no module beginning with _")
    return found
