"""Which files of the folder are strategies, and the text of each with all that it imports."""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from apps.strategies.authoring.folder import Contents
from apps.strategies.authoring.source import Source, hash_of, source_of
from moondev.domain.errors import InvalidValue

BASE = "apps.strategies.base"


@dataclass(frozen=True, slots=True)
class Unusable:
    """A file that is no Python, or cannot be read at all: why, and what names this state of it."""

    file: str
    error: str
    code_hash: str
    files: Mapping[str, str]


def found_in(contents: Contents, known: Collection[str]) -> dict[str, Source | Unusable]:
    """Return by file what is in the folder: every file that defines a strategy, or did as far as is `known`.

    A file that cannot be parsed is in it too: nobody can say what it would be. Others are modules of strategies.
    """
    found: dict[str, Source | Unusable] = {}
    for file in contents.candidates:
        text = contents.texts.get(file)
        if text is None:
            problem = f"{file} {contents.problems[file]}"
            found[file] = Unusable(file, problem, hash_of({file: problem}), {})
            continue
        try:
            if file in known or is_strategy(text):
                found[file] = source_of(file, contents.texts)
        except (SyntaxError, ValueError, RecursionError, MemoryError, InvalidValue) as error:
            found[file] = Unusable(file, _explained(error), hash_of({file: text, "": _explained(error)}), {file: text})
    return found


def is_strategy(text: str) -> bool:
    """Return whether a file means to define a strategy. Raises SyntaxError and ValueError when it is no Python."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and node.module == BASE and any(a.name == "Strategy" for a in node.names):
            return True
        if isinstance(node, ast.ClassDef) and any(_names_strategy(base) for base in node.bases):
            return True
    return False


def _names_strategy(base: ast.expr) -> bool:
    if isinstance(base, ast.Subscript):
        base = base.value
    return isinstance(base, ast.Attribute) and base.attr == "Strategy"


def _explained(error: BaseException) -> str:
    if isinstance(error, SyntaxError):
        where = f" ({error.filename}, line {error.lineno})" if error.lineno else ""
        return f"SyntaxError: {error.msg}{where}"
    return f"{type(error).__name__}: {error}"
