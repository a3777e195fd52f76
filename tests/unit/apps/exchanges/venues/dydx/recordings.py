"""dYdX's recorded answers, which lie beside the project; tests skip when they are absent."""

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[7] / "shared/fixtures/dydx/nautilus"
PRESENT = FOLDER.exists()
WHY_NOT = "the venue's recorded answers are not beside the project"


def recorded(name: str) -> Any:
    """Return a recorded message; answers over HTTP lie in a wrapper that is not on the wire."""
    message = json.loads((FOLDER / f"{name}.json").read_text())
    return message["result"] if name.startswith("http_") else message


def text(name: str) -> str:
    """Return a recorded answer as the venue would send it."""
    return json.dumps(recorded(name))
