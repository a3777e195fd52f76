"""Scopes of rules and alerts: ``kind:key``, ``kind:*``, ``*``."""

from __future__ import annotations

import re
from collections.abc import Sequence

from apps.monitor.models.alerts import ANYWHERE

PATTERN = re.compile(r"[a-z][a-z_]*:(\*|[^\s*]{1,100})")


def covers(wanted: str, scope: str, within: Sequence[str] = ()) -> bool:
    """Return whether a rule for `wanted` is about `scope`, or about what lies around it."""
    if wanted == ANYWHERE:
        return True
    kind, _, key = wanted.partition(":")
    if key == ANYWHERE:
        return any(name.startswith(f"{kind}:") for name in (scope, *within))
    return wanted in {scope, *within}
