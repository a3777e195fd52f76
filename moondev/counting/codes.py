"""Codes that others make up, as labels: short, plain, and never more than a few dozen."""

from __future__ import annotations

import re
from functools import lru_cache

_CODE = re.compile(r"-?[A-Za-z0-9_.]{1,40}")
MOST = 50
OTHER = "other"


def code_label(source: str, words: str) -> str:
    """Return the code at the beginning of what `source` said, up to its first colon; OTHER where there is none.

    Whoever says something new each time is heard MOST times: a venue must not be able to fill our memory.
    """
    code = words.partition(":")[0].strip()
    known = _known(source)
    if code in known:
        return code
    if not _CODE.fullmatch(code) or len(known) >= MOST:
        return OTHER
    known.add(code)
    return code


@lru_cache(maxsize=100)
def _known(source: str) -> set[str]:  # noqa: ARG001  it is the key
    return set()
