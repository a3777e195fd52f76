"""The beat of a process as a file of this machine, for who may ask no server: the probe of a container.

Whether a process is to be started anew must not depend on a Redis or a database that is away.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from moondev.heartbeat.beat import Beat, beat_decode, beat_encode

SUFFIX = ".beat"


class LocalBeats:
    """One small file per process."""

    def __init__(self, folder: Path) -> None:
        """Keep beats in `folder`, which is made when the first is written."""
        self._folder = folder

    def write(self, beat: Beat) -> None:
        """Keep a beat in place of the process's last; one that has ended leaves nothing behind. Raises OSError."""
        path = self._folder / f"{beat.name}.{beat.pid}{SUFFIX}"
        if beat.ended is not None:
            path.unlink(missing_ok=True)
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        # Whoever reads sees the old one or the new one, never half of one.
        unfinished = path.with_suffix(".new")
        unfinished.write_bytes(beat_encode(beat))
        unfinished.replace(path)

    def read(self, name: str) -> list[Beat]:
        """Return the beats of all processes of a name that were not removed."""
        beats = []
        for path in sorted(self._folder.glob(f"{name}.*{SUFFIX}")):
            try:
                beats.append(beat_decode(path.read_bytes()))
            except (OSError, msgspec.DecodeError):
                continue
        return beats

    def forget_others(self, beat: Beat) -> None:
        """Remove what processes of this name left that were killed: those that are not there. Raises OSError."""
        for other in self.read(beat.name):
            if not Path(f"/proc/{other.pid}").exists():
                (self._folder / f"{other.name}.{other.pid}{SUFFIX}").unlink(missing_ok=True)
