"""Makes the database say what the folder says: new versions tried and published, broken ones refused."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection
from dataclasses import dataclass

from apps.strategies.authoring.candidates import Unusable, found_in
from apps.strategies.authoring.folder import Contents
from apps.strategies.authoring.publishing import (
    Fingerprint,
    current_files,
    fingerprint,
    kind_of,
    misfits,
    publish,
    refuse,
    rows_asked,
    unload,
)
from apps.strategies.authoring.source import Source
from apps.strategies.authoring.trial import Asked, Outcome, tried
from apps.strategies.models import SourceStatus
from moondev.domain.clock import Clock

Try = Callable[[Asked], Outcome]


@dataclass(frozen=True, slots=True)
class _Tried:
    """A version, what came of trying it, and with which rows that was."""

    source: Source
    outcome: Outcome
    rows: Fingerprint


class Review:
    """One look after the other at the folder's contents; what has been tried once is not tried again."""

    def __init__(self, library: Collection[str], clock: Clock, try_one: Try = tried) -> None:
        """Refuse the names of the `library`."""
        self._library, self._clock, self._try = frozenset(library), clock, try_one
        self._tried: dict[str, _Tried] = {}

    def settle(self, contents: Contents) -> bool:
        """Act on what is in the folder; return whether that is all done. What has gone from it is left to `end`."""
        found = found_in(contents, set(current_files().values()))
        self._tried = {file: one for file, one in self._tried.items() if file in found}
        unread = "; ".join(f"{path} {why}" for path, why in contents.problems.items())
        by_name: defaultdict[str, list[str]] = defaultdict(list)
        for file, what in found.items():
            if isinstance(what, Unusable):
                self._tried.pop(file, None)
                refuse(kind_of(file), what, SourceStatus.BROKEN, what.error, self._clock.now())
                continue
            one = self._tried[file] = self._once(what)
            if one.outcome.error:
                error = one.outcome.error + (f"; unreadable: {unread}" if unread else "")
                refuse(kind_of(file), what, SourceStatus.BROKEN, error, self._clock.now())
            else:
                by_name[one.outcome.name].append(file)
        done = [self._act(name, files) for name, files in by_name.items()]
        return all(done)

    def waits(self) -> bool:
        """Return whether a version waits for rows that have changed since it was tried."""
        return any(one.rows != fingerprint(one.outcome.name) for one in self._tried.values() if self._misfits(one))

    def gone(self, contents: Contents) -> dict[str, str]:
        """Return the kinds that run and that the folder no longer has, each with the reason."""
        claimed = {one.outcome.name for one in self._tried.values() if not one.outcome.error}
        reasons = {}
        for kind, file in current_files().items():
            if kind in claimed:
                continue
            if file not in contents.candidates:
                reasons[kind] = f"its file {file} has gone from the folder of strategies"
            elif (one := self._tried.get(file)) is not None and not one.outcome.error:
                reasons[kind] = f"its file {file} is now strategy {one.outcome.name}"
        return reasons

    def end(self, kind: str, why: str) -> None:
        """Unload a kind that has gone."""
        unload(kind, why, self._clock)

    def _once(self, source: Source) -> _Tried:
        """Return what trying a version has shown, or shows now; once more when other rows run it by now."""
        known = self._tried.get(source.file)
        same = known is not None and known.source.code_hash == source.code_hash
        if known is not None and same and (known.outcome.error or known.rows == fingerprint(known.outcome.name)):
            return known
        kind = kind_of(source.file)
        one = self._tried_with(source, kind)
        if not one.outcome.error and one.outcome.name != kind:
            one = self._tried_with(source, one.outcome.name)
        return one

    def _tried_with(self, source: Source, kind: str) -> _Tried:
        rows = fingerprint(kind)
        return _Tried(source, self._try(Asked(source, rows_asked(kind), self._library)), rows)

    def _act(self, name: str, files: list[str]) -> bool:
        """Publish the one file that claims a name, of several none; return whether there is nothing left to do."""
        for file in files:
            one = self._tried[file]
            if len(files) > 1:
                error = f"{' and '.join(files)} all call themselves {name}: none of them is taken"
                refuse(name, one.source, SourceStatus.BROKEN, error, self._clock.now())
            elif unfit := self._misfits(one):
                error = "; ".join(f"{slug}: {why}" for slug, why in sorted(unfit.items()))
                refuse(name, one.source, SourceStatus.HELD, error, self._clock.now())
            elif not publish(one.source, one.outcome, one.rows, self._clock.now()):
                # Rows changed while it was tried: the next look tries again, with those of then.
                self._tried.pop(file)
                return False
        return True

    @staticmethod
    def _misfits(one: _Tried) -> dict[str, str]:
        return {} if one.outcome.error else misfits(one.outcome.name, one.outcome)
