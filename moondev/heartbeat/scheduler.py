"""The beat of Celery beat: its scheduler turns the pulse whenever it has looked what is due."""

from __future__ import annotations

from typing import Any

from django_celery_beat.schedulers import DatabaseScheduler

from moondev.heartbeat.heart import Heart


class BeatingScheduler(DatabaseScheduler):  # type: ignore[misc]  # the package has no types
    """The schedule of the admin, by a process that says that it works."""

    def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  Celery's
        """Prepare; Celery makes one more of these, to show its settings, that never ticks."""
        super().__init__(*args, **options)
        self._heart: Heart | None = None

    def tick(self, *args: Any, **options: Any) -> Any:  # noqa: ANN401  Celery's
        """Send what is due; return the seconds until something is again."""
        if self._heart is None:
            self._heart = Heart("beat")
            self._heart.start()
        wait = super().tick(*args, **options)
        self._heart.pulse.turn()
        return wait

    def close(self) -> None:
        """Say that the process ends."""
        super().close()
        if self._heart is not None:
            self._heart.end()
