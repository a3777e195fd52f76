"""The venue's recorded answers, which lie beside the project; tests skip when they are absent."""

import json
import re
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[7] / "shared/fixtures/hyperliquid"
PRESENT = FOLDER.exists()
WHY_NOT = "the venue's recorded answers are not beside the project"


def bodies(cassette: str) -> list[Any]:
    """Return every answer of a cassette; its YAML is plain enough to be read without a library."""
    text = (FOLDER / "sdk_cassettes" / cassette).read_text()
    found = re.findall(r"string: '((?:[^']|'')*)'", text)
    return [json.loads(re.sub(r"\s*\n\s*", " ", body).replace("''", "'")) for body in found]


def transcript(name: str) -> Any:
    """Return a transcribed file; its numbers were turned into text, which `numeric` undoes."""
    return json.loads((FOLDER / "ccxt_static" / name).read_text())


def numeric(value: Any) -> Any:
    """Return `value` with the whole numbers restored that the transcript holds as text."""
    if isinstance(value, list):
        return [numeric(item) for item in value]
    if isinstance(value, dict):
        whole = {"oid", "tid", "time", "timestamp", "statusTimestamp"}
        return {key: int(item) if key in whole and item is not None else numeric(item) for key, item in value.items()}
    return value
