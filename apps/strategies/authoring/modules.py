"""Runs the text of a strategy as modules of a name space of its own, which can be thrown away whole."""

from __future__ import annotations

import builtins
import linecache
import sys
import typing
from collections.abc import Mapping, Sequence
from importlib.abc import InspectLoader
from importlib.machinery import ModuleSpec
from importlib.util import module_from_spec, resolve_name
from itertools import count
from types import CodeType, ModuleType
from typing import Any

from apps.strategies.authoring.imports import finder
from apps.strategies.authoring.source import Source

ROOT = "moondev_user_strategies"
# Two versions of one text may live at once (a test, a reload that was taken back): each has names of its own.
_NUMBERS = count(1)


class _Text(InspectLoader):
    """Gives a module's text to whoever prints a traceback of it."""

    def __init__(self, text: str, path: str) -> None:
        self._text, self.path = text, path

    def get_source(self, fullname: str) -> str:  # noqa: ARG002  one loader, one module
        return self._text

    def get_code(self, fullname: str) -> CodeType:  # noqa: ARG002  the signature is given
        return compile(self._text, self.path, "exec", dont_inherit=True)


class Modules:
    """The modules of one version.

    They import each other by the names they have in the folder, and everything else as usual. They are in
    ``sys.modules`` under names nobody else uses, for that is where dataclasses and pydantic look types up; no path and
    no finder of the process is touched. What a version does not contain it cannot import: its hash says all of it.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._find = finder(source.files)
        self.prefix = f"{ROOT}.v{next(_NUMBERS)}_{source.code_hash[:12]}"
        self._builtins: dict[str, Any] = {**vars(builtins), "__import__": self._import}
        self._made: list[str] = []

    def main(self) -> ModuleType:
        """Run the strategy's file and return its module. Raises whatever it raises."""
        return self._module(self._source.module)

    def paths(self) -> list[str]:
        """Return the file names that tracebacks of these modules show."""
        return [self._shown(path) for path in self._source.files]

    def forget(self) -> None:
        """Take the modules out of the process; who still runs their code may end in peace."""
        for name in self._made:
            sys.modules.pop(name, None)
        self._made.clear()
        for path in self.paths():
            linecache.cache.pop(path, None)
        # `Strategy[Parameters]` is remembered by typing, with the class and so with everything that it refers to.
        for clear in getattr(typing, "_cleanups", ()):
            clear()

    def _module(self, name: str) -> ModuleType:
        full = f"{self.prefix}.{name}"
        if full in sys.modules:
            return sys.modules[full]
        if not self._holds(name):
            raise ModuleNotFoundError(f"no module {name!r} in the folder of strategies", name=name)
        parent, _, child = name.rpartition(".")
        if parent:
            self._module(parent)
        if full in sys.modules:  # its package imported it
            return sys.modules[full]
        module = self._run(name, full)
        if parent:
            setattr(sys.modules[f"{self.prefix}.{parent}"], child, module)
        return module

    def _run(self, name: str, full: str) -> ModuleType:
        text = self._find(name)
        package = text is None or f"{name.replace('.', '/')}/__init__.py" in self._source.files
        path = self._shown(name.replace(".", "/") + ("/__init__.py" if package else ".py"))
        loader = _Text(text or "", path)
        spec = ModuleSpec(full, loader, origin=path, is_package=package)
        module = module_from_spec(spec)
        module.__file__ = path
        module.__dict__["__builtins__"] = self._builtins
        sys.modules[full] = module
        self._made.append(full)
        try:
            exec(loader.get_code(full), module.__dict__)  # noqa: S102  that is what loading a module is
        except BaseException:
            sys.modules.pop(full, None)
            raise
        return module

    def _import(
        self,
        name: str,
        globals: Mapping[str, object] | None = None,  # noqa: A002  the names of __import__
        locals: Mapping[str, object] | None = None,  # noqa: A002  the signature is given
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> ModuleType:
        """Stand in for ``__import__`` in these modules: their own names first, all others as ever."""
        own = self._own_name(name, globals, level)
        if own is None:
            return builtins.__import__(name, globals, locals, fromlist or (), level)
        module = self._module(own)
        if fromlist:
            for item in fromlist:
                if not hasattr(module, item) and self._holds(f"{own}.{item}"):
                    self._module(f"{own}.{item}")
            return module
        # ``import a.b`` binds a.
        return module if level else self._module(own.partition(".")[0])

    def _own_name(self, name: str, globals_: Mapping[str, object] | None, level: int) -> str | None:
        if not level:
            return name if self._holds(name.partition(".")[0]) else None
        package = str((globals_ or {}).get("__package__") or "")
        own = resolve_name("." * level + name, package.removeprefix(self.prefix).removeprefix("."))
        if not self._holds(own):
            raise ImportError(f"no module {'.' * level}{name} in the folder of strategies")
        return own

    def _holds(self, name: str) -> bool:
        """Return whether a module is among the files, or a folder that holds some."""
        inside = f"{name.replace('.', '/')}/"
        return self._find(name) is not None or any(path.startswith(inside) for path in self._source.files)

    def _shown(self, path: str) -> str:
        return f"{path}@{self._source.code_hash[:12]}"


def lines_of(error: BaseException, modules: Modules) -> str:
    """Return where in the strategy's own files an error arose, as ``file, line n``; nothing when it was not there."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename.partition('@')[0]}, line {error.lineno}"
    own, found, trace = set(modules.paths()), "", error.__traceback__
    while trace is not None:
        path = trace.tb_frame.f_code.co_filename
        if path in own:
            found = f"{path.partition('@')[0]}, line {trace.tb_lineno}"
        trace = trace.tb_next
    return found
