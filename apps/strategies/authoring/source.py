"""One version of a strategy: the text of its file and of every file of the folder that this one needs."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from apps.strategies.authoring.imports import closure, finder
from moondev.domain.errors import InvalidValue

MOST_CHARACTERS = 1_000_000
MOST_FILES = 200
# A file of such a name would be imported in the place of what everybody means by it.
NOT_OURS = sys.stdlib_module_names | {"apps", "moondev"}


def hash_of(files: Mapping[str, str]) -> str:
    """Return the SHA-256 of named texts: it changes with any name and any character, and with nothing else."""
    whole = hashlib.sha256()
    for name in sorted(files):
        for part in (name.encode(), files[name].encode("utf-8", "surrogatepass")):
            whole.update(len(part).to_bytes(8, "big"))
            whole.update(part)
    return whole.hexdigest()


@dataclass(frozen=True)
class Source:
    """The text of a strategy. `file` is its path in the folder, `files` all texts by path, its own among them."""

    file: str
    files: Mapping[str, str]

    @cached_property
    def code_hash(self) -> str:
        """Return what names this version, on every machine the same."""
        return hash_of(self.files)

    @property
    def module(self) -> str:
        """Return the file's name as it is imported."""
        return self.file.removesuffix(".py")


def source_of(file: str, texts: Mapping[str, str]) -> Source:
    """Return the strategy in `file` with all that it imports of `texts`, the folder's files by path.

    Raises SyntaxError or ValueError when one of them is no Python, InvalidValue when there is too much of it or one
    hides a module of that name.
    """
    names = closure(file.removesuffix(".py"), finder(texts))
    files = {path: texts[path] for name in names for path in [_path(name, texts)]}
    hidden = sorted({name.partition(".")[0] for name in names} & NOT_OURS)
    if hidden:
        raise InvalidValue("module", ", ".join(hidden), "a name that is no module of Python's or of the platform")
    if len(files) > MOST_FILES:
        raise InvalidValue("files", len(files), f"a strategy of at most {MOST_FILES}")
    size = sum(map(len, files.values()))
    if size > MOST_CHARACTERS:
        raise InvalidValue("source", f"{size} characters", f"a strategy of at most {MOST_CHARACTERS}")
    return Source(file, files)


def _path(module: str, texts: Mapping[str, str]) -> str:
    path = module.replace(".", "/")
    package = f"{path}/__init__.py"
    return package if package in texts else f"{path}.py"
