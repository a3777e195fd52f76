"""The venue's transcribed answers and messages, which lie beside the project; tests skip when they are absent."""

import json
import re
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[7] / "shared/fixtures/binance/jkorf"
PRESENT = FOLDER.exists()
WHY_NOT = "the venue's transcribed answers are not beside the project"


def answer(name: str) -> Any:
    """Return the answer in a transcript such as ``Trading/GetOrder``."""
    return json.loads((FOLDER / "Endpoints/UsdFutures" / f"{name}.json").read_text())["response"]


def text(name: str) -> str:
    """Return the answer of a transcript as the text that travels."""
    return json.dumps(answer(name))


def pushed(name: str) -> Any:
    """Return the message in a transcript of a stream, without the wrapping of combined streams."""
    said = json.loads((FOLDER / "Subscriptions/UsdFutures" / f"{name}.json").read_text())["transcript"]
    messages = [message for who, message in said if who == "pushed"]
    (message,) = [json.loads(re.sub(r"\|\d+\|", "1", m)) if isinstance(m, str) else m for m in messages]
    return message.get("data", message)
