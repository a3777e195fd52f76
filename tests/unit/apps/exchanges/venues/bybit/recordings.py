"""The venue's messages as collected by others, which lie beside the project; tests skip when they are absent."""

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[7] / "shared/fixtures/bybit/jkorf"
PRESENT = FOLDER.exists()
WHY_NOT = "the venue's recorded messages are not beside the project"


def answer(name: str) -> str:
    """Return the answer of one endpoint as text, e.g. ``Trading/GetOrders``."""
    return json.dumps(json.loads((FOLDER / f"Endpoints/V5Api/{name}.json").read_text())["response"])


def result(name: str) -> Any:
    """Return the `result` of one endpoint's answer."""
    return json.loads(answer(name))["result"]


def pushed(name: str) -> list[bytes]:
    """Return what a subscription was sent, e.g. ``Private/Order``."""
    transcript = json.loads((FOLDER / f"Subscriptions/V5/{name}.json").read_text())["transcript"]
    return [json.dumps(message).encode() for who, message in transcript if who == "pushed"]


def said(name: str) -> list[dict[str, Any]]:
    """Return what the venue answered to what a subscriber said."""
    transcript = json.loads((FOLDER / f"Subscriptions/V5/{name}.json").read_text())["transcript"]
    return [message for who, message in transcript if who == "server"]
