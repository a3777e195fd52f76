"""The first thing a worker process of our own runs; imports nothing that needs Django before Django is there."""

from __future__ import annotations

import signal

import django

from moondev.domain.clock import process_clock


def run_worker(run_id: int, name: str) -> None:
    """Work at a run until nothing is left to do."""
    # Ctrl-C is for the one who started us, who then ends us.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    django.setup()
    from apps.strategies.optimise.working import work  # noqa: PLC0415  models exist only from here on

    work(run_id, name, process_clock(), lambda: False)
