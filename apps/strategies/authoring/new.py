"""Writes the first version of a strategy and its test, from a template that works."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from string import Template

from apps.strategies.authoring.names import free_name
from moondev.domain.errors import InvalidValue
from moondev.settings.env import PROJECT_ROOT

TEMPLATE = Path(__file__).parent / "template"
CONFTEST = '''"""Lets pytest find the platform, and the strategies that lie here."""

import sys

sys.path[:0] = [{folder}, {project}]
'''


def strategy_new(name: str, folder: Path, taken: Collection[str]) -> list[Path]:
    """Write strategy `name` and its test into `folder`; return the files that were written.

    Raises InvalidValue for a name that a strategy cannot have and for a file that is there already; then nothing is
    written.
    """
    free_name(name, taken)
    folder = folder.resolve()
    if PROJECT_ROOT / "apps" in (folder, *folder.parents) or PROJECT_ROOT / "moondev" in (folder, *folder.parents):
        raise InvalidValue("dir", str(folder), "a folder outside of the platform's own code")
    words = {"name": name, "class": _class(name), "title": name.replace("_", " ").capitalize()}
    texts = {
        folder / f"{name}.py": Template((TEMPLATE / "strategy.py.txt").read_text(encoding="utf-8")).substitute(words),
        folder / f"test_{name}.py": Template((TEMPLATE / "test.py.txt").read_text(encoding="utf-8")).substitute(words),
    }
    if (folder / name).exists():
        raise InvalidValue("name", name, f"one that no folder of {folder} has")
    for path in texts:
        if path.exists():
            raise InvalidValue("file", str(path), "one that does not exist yet")
    folder.mkdir(parents=True, exist_ok=True)
    conftest = folder / "conftest.py"
    if not conftest.exists():
        texts[conftest] = CONFTEST.format(folder=json.dumps(str(folder)), project=json.dumps(str(PROJECT_ROOT)))
    for path, text in texts.items():
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    return list(texts)


def _class(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_") if word)
