"""Text of others made harmless: nothing in it can end a line, move a cursor, or turn the direction of reading."""

from __future__ import annotations

_KEPT_IN_TRACEBACKS = frozenset("\n\t")


def inert(text: str, kept: frozenset[str] = frozenset()) -> str:
    r"""Return `text` with every character that is not printable spelt out, as `\x1b` or `\u202e`, but for `kept`."""
    # Python counts line ends, control and format characters, odd spaces and lone surrogates among the unprintable.
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in kept else _spelt(c) for c in text)


def inert_lines(text: str) -> str:
    """Return text of many lines with nothing but its line ends and tabs left as they are."""
    return inert(text, _KEPT_IN_TRACEBACKS)


def _spelt(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
