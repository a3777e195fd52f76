"""The log of a run, as a machine that gathers it reads it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def log_lines(folder: Path) -> list[dict[str, Any]]:
    """Return every line of JSON under `folder`, in the order of time; banners and the like are left out."""
    texts = [text for path in sorted(folder.glob("*.log")) for text in path.read_text(encoding="utf-8").splitlines()]
    lines = [json.loads(text) for text in texts if text.startswith("{")]
    return sorted(lines, key=lambda line: line["@timestamp"])
