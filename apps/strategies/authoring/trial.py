"""Tries a strategy in a process of its own, so that nothing it does can touch whoever wants to know."""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from apps.strategies.authoring.source import Source
from apps.strategies.base import JSONValue
from moondev.domain.instruments import Instrument
from moondev.domain.market_data import Needs
from moondev.settings.env import PROJECT_ROOT

SECONDS = 30.0
PROCESS = "apps.strategies.authoring.trial_process"
# What a process needs to start; what else is in ours (passwords, keys) is nobody's business here.
ENVIRONMENT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "PYTHONPATH", "VIRTUAL_ENV", "OMP_NUM_THREADS")


@dataclass(frozen=True, slots=True)
class RowAsked:
    """A strategy row that would run the code: what it has stored, and what it trades."""

    slug: str
    parameters: Mapping[str, JSONValue]
    instruments: tuple[Instrument, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be tried. `examine` also decides on made-up bars; `taken` are names it must not have."""

    source: Source
    rows: tuple[RowAsked, ...] = ()
    taken: frozenset[str] = frozenset()
    examine: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it. `error` is empty for a strategy that loads; `needs` and `unfit` (why not) are by row."""

    error: str = ""
    name: str = ""
    presets: tuple[str, ...] = ()
    needs: Mapping[str, Needs] = field(default_factory=dict)
    unfit: Mapping[str, str] = field(default_factory=dict)
    findings: tuple[Mapping[str, Any], ...] = ()


def tried(asked: Asked, seconds: float = SECONDS) -> Outcome:
    """Try a strategy in a process of its own; return what came of it, also when that process dies or hangs."""
    command = [sys.executable, "-m", PROCESS]
    environment = {name: os.environ[name] for name in ENVIRONMENT if name in os.environ}
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=PROJECT_ROOT,
        env=environment,
        start_new_session=True,
    ) as process:
        try:
            answer, _ = process.communicate(pickle.dumps(asked), timeout=seconds)
        except subprocess.TimeoutExpired:
            return Outcome(error=f"trying it did not end within {seconds:g} s")
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    return _outcome(answer, process.returncode)


def _outcome(answer: bytes, code: int) -> Outcome:
    """Return what the process said. It ran a stranger's code: JSON only, and of the shape we know."""
    try:
        said = json.loads(answer)
        return Outcome(
            error=str(said["error"]),
            name=str(said["name"]),
            presets=tuple(map(str, said["presets"])),
            needs={str(slug): _needs(one) for slug, one in said["needs"].items()},
            unfit={str(slug): str(why) for slug, why in said["unfit"].items()},
            findings=tuple(dict(one) for one in said["findings"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return Outcome(error=f"it ended the process that tried it (exit code {code})")


def _needs(said: Mapping[str, Any]) -> Needs:
    bars = {timedelta(seconds=int(seconds)): int(count) for seconds, count in said["bars"]}
    return Needs(tuple(map(str, said["instruments"])), bars, bool(said["book"]))
