"""A folder of strategies, watched by hand: time passes when a test says so."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from apps.strategies.authoring import catalogue as catalogue_module
from apps.strategies.authoring.catalogue import catalogue
from apps.strategies.authoring.guard import Forbidden
from apps.strategies.authoring.review import Review
from apps.strategies.authoring.trial import Asked, Outcome, _outcome
from apps.strategies.authoring.trial_process import answered
from apps.strategies.authoring.watch import FolderWatch
from apps.strategies.registry import library_names


class Folder:
    """A folder with its watch. Trials run in this process, which tests of trials themselves do not."""

    def __init__(self, path: Path, clock, *, try_one=None) -> None:
        self.path, self.now, self.trials, self._clock = path, 0.0, 0, clock
        self._try = try_one or try_here
        self.watch = FolderWatch(path, Review(library_names(), clock, self._tried), clock, lambda: self.now)

    def save(self, name: str, text: str) -> None:
        """Save a file as editors do: write another, rename it."""
        other = self.path / f"{name}.py.part"
        other.parent.mkdir(parents=True, exist_ok=True)
        other.write_text(text)
        other.rename(self.path / f"{name}.py")

    def looks(self, seconds: float = 2.0, every: float = 0.5) -> None:
        """Let so much time pass, with a look every so often."""
        until = self.now + seconds
        while self.now < until:
            self.now += every
            self._clock.advance(timedelta(seconds=every))
            self.watch.step()

    def _tried(self, asked: Asked) -> Outcome:
        self.trials += 1
        return self._try(asked)


def try_here(asked: Asked) -> Outcome:
    """Try a strategy in this very process."""
    try:
        return _outcome(answered(asked), 0)
    except Forbidden as error:
        return Outcome(error=str(error))


def fresh_catalogue(monkeypatch, settings, folder: Path) -> None:
    """Let this process run strategies of `folder`, begin with none loaded, and look at every tick."""
    settings.MOONDEV_STRATEGIES_DIR = folder
    monkeypatch.setattr(catalogue_module, "LOOK_SECONDS", -1.0)
    restarted()


def restarted() -> None:
    """Forget what is loaded, as a worker does that is started again."""
    for version in catalogue()._versions.values():
        version.unload()
    catalogue.cache_clear()
