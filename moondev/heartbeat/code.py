"""Which code a process runs: a digest of the sources, the same on every machine and without a repository."""

from __future__ import annotations

import hashlib

from moondev.settings.env import PROJECT_ROOT

PARTS = ("moondev", "apps")
DIGITS = 12


def code_digest() -> str:
    """Return a digest of all our Python sources as they lie there now: read it when the process starts."""
    digest = hashlib.sha256((PROJECT_ROOT / "celeryconfig.py").read_bytes())
    for part in PARTS:
        for path in sorted((PROJECT_ROOT / part).rglob("*.py")):
            digest.update(str(path.relative_to(PROJECT_ROOT)).encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:DIGITS]
