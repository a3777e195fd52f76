"""Recorded messages in ../shared/fixtures/phemex, which are read where they lie and never committed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).resolve().parents[6] / "../shared/fixtures/phemex/ccxt_static"


def recorded(name: str) -> Any:
    """Return a recording; the test is skipped where the recordings are not."""
    path = FOLDER / name
    if not path.exists():
        pytest.skip(f"the recording {name} is not here")
    return json.loads(path.read_text())
