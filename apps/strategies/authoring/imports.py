"""Which modules a source text imports, told without running it."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from importlib.util import resolve_name

Find = Callable[[str], str | None]


def imported(tree: ast.AST, package: str) -> set[str]:
    """Return every dotted name that `tree`, a module of `package`, imports anywhere, or may.

    ``from a import b`` names both ``a`` and ``a.b``.
    """
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = _base(node, package)
            if base is not None:
                names.add(base)
                names.update(f"{base}.{alias.name}" if base else alias.name for alias in node.names)
    return {name for name in names if name}


def closure(module: str, find: Find) -> dict[str, str]:
    """Return, by dotted name, the source of `module` and of all that it needs among what `find` knows.

    `find` gives the source of a module, or None for one that is not ours. With a module come the packages it lies in.
    Raises SyntaxError (and ValueError, for a NUL byte) when one of them cannot be parsed.
    """
    found: dict[str, str] = {}
    open_names = [module]
    while open_names:
        name = open_names.pop()
        source = None if name in found else find(name)
        if source is None:
            continue
        found[name] = source
        wanted = imported(ast.parse(source, filename=f"{name.replace('.', '/')}.py"), package_of(name, find))
        for one in wanted:
            parts = one.split(".")
            open_names += [".".join(parts[:count]) for count in range(1, len(parts) + 1)]
    return found


def package_of(module: str, find: Find) -> str:
    """Return the package in which relative imports of `module` begin: itself when it is one."""
    return module if is_package(module, find) else module.rpartition(".")[0]


def is_package(module: str, find: Find) -> bool:
    """Return whether `module` is a package, which is found as ``module.__init__`` as well."""
    return find(f"{module}.__init__") is not None


def finder(sources: Mapping[str, str]) -> Find:
    """Return how to find modules among files by path: ``a/b.py`` is ``a.b``, ``a/__init__.py`` is ``a``."""

    def find(name: str) -> str | None:
        path = name.replace(".", "/")
        source = sources.get(f"{path}/__init__.py")
        return source if source is not None else sources.get(f"{path}.py")

    return find


def _base(node: ast.ImportFrom, package: str) -> str | None:
    """Return the dotted name that an ``import from`` begins at; None where it leads out of the top."""
    if not node.level:
        return node.module or ""
    if not package:
        return None
    try:
        return resolve_name("." * node.level + (node.module or ""), package)
    except ImportError:
        return None
