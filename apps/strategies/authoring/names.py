"""What a strategy of the user's own may be called."""

from __future__ import annotations

import importlib.util
import keyword
import re
import sys
from collections.abc import Collection

from moondev.domain.errors import InvalidValue

NAME = re.compile(r"[a-z][a-z0-9_]{2,39}")
# Ours, and pytest's.
RESERVED = frozenset({"apps", "moondev", "manage", "celeryconfig", "tests", "conftest", "strategy", "strategies"})


def name_checked(name: object) -> str:
    """Return `name` if a strategy can be called so. Raises InvalidValue that says what is allowed."""
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise InvalidValue("name", name, "3 to 40 of a-z, 0-9 and _, a letter first")
    if keyword.iskeyword(name) or keyword.issoftkeyword(name):
        raise InvalidValue("name", name, "a name that is no word of Python's")
    if name in RESERVED or name.startswith("test_"):
        raise InvalidValue("name", name, "a name that is not reserved")
    return name


def free_name(name: str, taken: Collection[str]) -> str:
    """Return `name` if a new strategy may be called so.

    Raises InvalidValue when it is malformed, `taken`, or a module that Python already knows: a file of that name would
    stand before it wherever the folder is on the path, as it is under pytest.
    """
    name_checked(name)
    if name in taken:
        raise InvalidValue("name", name, f"one that is not taken ({', '.join(sorted(taken))})")
    if name in sys.stdlib_module_names or importlib.util.find_spec(name) is not None:
        raise InvalidValue("name", name, "one that is no module of Python's or of an installed package")
    return name
