"""What is asked of an engine of others, and how it is asked: a process of its own, numbers in, JSON out."""

from __future__ import annotations

import hashlib
import json
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

HERE = Path(__file__).parent
PROJECT = HERE.parents[1]
ENVIRONMENTS = PROJECT / ".oracle-venv"
LONGEST_ANSWER_S = 600.0


class EngineAbsent(Exception):
    """The environment of an engine is not installed."""


class EngineFailed(Exception):
    """The engine ended with an error; its own words are the message."""


@dataclass(frozen=True, slots=True)
class Engine:
    """A script under engines/ and the environment under .oracle-venv/ that runs it."""

    environment: str
    script: str

    @property
    def python(self) -> Path:
        """Return the interpreter. Raises EngineAbsent when it is not installed."""
        path = ENVIRONMENTS / self.environment / "bin" / "python"
        if not path.exists():
            raise EngineAbsent(f"docker/oracle-environment {self.environment} installs it")
        return path


@dataclass(frozen=True, slots=True)
class Given:
    """What the engine is given: columns by name, and parameters that JSON can carry."""

    columns: Mapping[str, NDArray[Any]]
    parameters: Mapping[str, Any] = field(default_factory=dict)

    @property
    def content_hash(self) -> str:
        """Return a hash of every number: an answer counts for the very question it was given to."""
        digest = hashlib.sha256(json.dumps(dict(self.parameters), sort_keys=True).encode())
        for name in sorted(self.columns):
            column = self.columns[name]
            digest.update(f"{name} {column.dtype.str} {column.shape}".encode())
            digest.update(np.ascontiguousarray(column).tobytes())
        return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class Question:
    """One engine, one set of numbers. `tolerance` is how far a fresh answer may be from the stored one.

    `given` raises RecordingAbsent when the recorded data is not beside the project.
    """

    name: str
    engine: Engine
    given: Callable[[], Given]
    tolerance: float = 1e-6


def ask(engine: Engine, given: Given) -> dict[str, Any]:
    """Return what the engine answers, `versions` included. Raises EngineAbsent and EngineFailed."""
    python = engine.python
    with tempfile.TemporaryDirectory(prefix="oracle-") as folder:
        columns, answer = Path(folder, "columns.npz"), Path(folder, "answer.json")
        np.savez(columns, **given.columns)
        command = [python, HERE / "engines" / engine.script, columns, json.dumps(dict(given.parameters)), answer]
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, check=False, timeout=LONGEST_ANSWER_S
        )  # fmt: skip
        if done.returncode != 0 or not answer.exists():
            raise EngineFailed(f"{engine.script} in {engine.environment}: {(done.stderr or done.stdout)[-3000:]}")
        found: dict[str, Any] = json.loads(answer.read_text(encoding="utf-8"))
        return found
