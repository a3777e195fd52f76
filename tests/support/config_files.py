"""Configuration that no program here can run: read as its program would, and held to a schema."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema_rs
import yaml

PROJECT_ROOT = Path(__file__).resolve().parents[2]
DOCKER = PROJECT_ROOT / "docker"
SCHEMAS = PROJECT_ROOT / "tests" / "unit" / "docker" / "schemas"
_VARIABLE = re.compile(r"\$\{([A-Z][A-Z0-9_]*)(?::?[-?]?([^}]*))?\}")


def documents(path: Path) -> list[Any]:
    """Return the documents of a YAML or JSON file."""
    return [document for document in yaml.safe_load_all(path.read_text(encoding="utf-8")) if document is not None]


def complaints(document: object, schema: str | dict[str, Any]) -> list[str]:
    """Return what a schema (of SCHEMAS, by name) has against a document, each with its place."""
    rules = json.loads((SCHEMAS / schema).read_text(encoding="utf-8")) if isinstance(schema, str) else schema
    validator = jsonschema_rs.validator_for(rules)
    return [f"{'/'.join(map(str, error.instance_path))}: {error.message}" for error in validator.iter_errors(document)]


def variables(path: Path) -> set[str]:
    """Return the environment variables that a file fills in."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.lstrip().startswith("#")]
    return {match.group(1) for match in _VARIABLE.finditer("\n".join(lines))}
