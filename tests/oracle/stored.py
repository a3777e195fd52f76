"""The answers that are kept, one JSON file each, so that the suite needs none of the engines."""

from __future__ import annotations

import json
from typing import Any

from tests.oracle.questions import HERE, Given, Question

FOLDER = HERE / "stored"


class NeverAsked(Exception):
    """There is no stored answer, or it was given to other numbers."""


def answer(question: Question) -> dict[str, Any]:
    """Return the stored answer. Raises NeverAsked, and RecordingAbsent when the numbers cannot be had."""
    given = question.given()
    path = FOLDER / f"{question.name}.json"
    if not path.exists():
        raise NeverAsked(f"{path.name} is missing: make oracle STORE=1 asks and stores")
    body: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if body["given"] != given.content_hash:
        raise NeverAsked(f"{path.name} answers other numbers than those of today: make oracle STORE=1 asks again")
    found: dict[str, Any] = body["answer"]
    return found


def keep(question: Question, given: Given, found: dict[str, Any]) -> None:
    """Write an answer, with the hash of what it was given and the versions that gave it."""
    FOLDER.mkdir(exist_ok=True)
    body = {"engine": question.engine.script, "given": given.content_hash, "answer": found}
    # One line a key and none a number: an answer is read by programs, a difference by people.
    lines = [f" {json.dumps(key)}: {json.dumps(value)}" for key, value in found.items()]
    head = "".join(f"{json.dumps(key)}: {json.dumps(body[key])},\n" for key in ("engine", "given"))
    text = "{\n" + head + '"answer": {\n' + ",\n".join(lines) + "\n}\n}\n"
    (FOLDER / f"{question.name}.json").write_text(text, encoding="utf-8")
