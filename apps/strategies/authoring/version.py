"""A strategy loaded from its text, and how to be rid of it."""

from __future__ import annotations

from apps.strategies.authoring.definition import strategy_in
from apps.strategies.authoring.modules import Modules, lines_of
from apps.strategies.authoring.source import Source
from apps.strategies.ideas import Idea
from apps.strategies.orchestrator.watchdog import NeverReturned, within

# Libraries that a strategy imports for the first time may take seconds.
LOAD_SECONDS = 10.0


class BrokenStrategy(Exception):
    """A text that is no strategy; the message says why and where."""


class Version(Idea):
    """One version of a strategy of the user's own, as this process runs it."""

    def __init__(self, source: Source, modules: Modules) -> None:
        """Run `modules`, which are those of `source`. Raises whatever the strategy's code raises, and InvalidValue."""
        super().__init__(strategy_in(modules.main()), source.code_hash)
        self._modules = modules

    def unload(self) -> None:
        """Take it out of the process. Ticks that run it at this moment end in peace."""
        self._modules.forget()


def load_version(source: Source, seconds: float = LOAD_SECONDS) -> Version:
    """Load a strategy. Raises BrokenStrategy for whatever is wrong with it; nothing of it is left then."""
    modules = Modules(source)
    try:
        return within(seconds, lambda: Version(source, modules))
    except (Exception, SystemExit, NeverReturned) as error:  # its own code may raise anything, and only it may fail
        modules.forget()
        raise BrokenStrategy(explained(error, modules, seconds)) from error


def explained(error: BaseException, modules: Modules, seconds: float) -> str:
    """Return what went wrong and at which line of the strategy's own files, for people."""
    if isinstance(error, NeverReturned):
        return f"importing it did not end within {seconds:g} s" + _at(lines_of(error, modules))
    text = error.msg if isinstance(error, SyntaxError) else str(error)
    return f"{type(error).__name__}: {text}"[:1_500] + _at(lines_of(error, modules))


def _at(place: str) -> str:
    return f" ({place})" if place else ""
