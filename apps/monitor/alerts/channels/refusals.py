"""What can go wrong on the way to people, and what is said of it without telling a secret."""

from __future__ import annotations

import re

# Characters of a reason that are kept: a row's column has room for 300.
LONGEST_REASON = 280
HIDDEN = "•••"
# Less is no secret, and would black out half of any sentence.
SHORTEST_SECRET = 4


class NotTaken(Exception):
    """A channel did not take a message, or did not say so.

    `permanent`: it will not take it another time either. `retry_after_seconds`: how long it asked to be left alone.
    """

    def __init__(self, why: str, *, permanent: bool = False, retry_after_seconds: float | None = None) -> None:
        super().__init__(why)
        self.permanent, self.retry_after_seconds = permanent, retry_after_seconds


def redacted(text: str, secret: str) -> str:
    """Return `text` on one line without a secret, nor any part of one that is an address."""
    for part in sorted({secret, *re.split(r"[/?&=:@]", secret)}, key=len, reverse=True):
        if len(part) >= SHORTEST_SECRET and not part.startswith("http"):
            text = text.replace(part, HIDDEN)
    clean = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return clean if len(clean) <= LONGEST_REASON else f"{clean[: LONGEST_REASON - 1]}…"
