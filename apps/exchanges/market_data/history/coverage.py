"""Which spans of time were asked of a venue to their end: rows alone cannot tell a quiet hour from one never asked for.

Kept beside a series' files as ``covered.json``. Losing the file costs another download, never a row.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from moondev.domain.errors import InvalidValue

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Spans:
    """Spans [start, end) in milliseconds UTC that neither touch nor overlap, oldest first."""

    spans: tuple[Span, ...] = ()

    def with_span(self, start: int, end: int) -> Spans:
        """Return these and one more. Raises InvalidValue when it ends before it begins."""
        if end < start:
            raise InvalidValue("span", f"{start} to {end}", "an end that is not before the start")
        merged: list[Span] = []
        for first, last in sorted((*self.spans, (start, end))):
            if merged and first <= merged[-1][1]:
                merged[-1] = (merged[-1][0], max(merged[-1][1], last))
            elif last > first:
                merged.append((first, last))
        return Spans(tuple(merged))

    def after(self, moment: int) -> Spans:
        """Return what of these lies at or after `moment`."""
        return Spans(tuple((max(first, moment), last) for first, last in self.spans if last > moment))

    def missing(self, start: int, end: int) -> Iterator[Span]:
        """Return the spans of [start, end) that are not in these, oldest first."""
        at = start
        for first, last in self.spans:
            if last <= at:
                continue
            if first >= end:
                break
            if first > at:
                yield at, first
            at = last
        if at < end:
            yield at, end


def read_spans(path: Path) -> Spans:
    """Return what a file says; nothing when there is none. Raises InvalidValue that names a file that says nonsense."""
    try:
        spans: Sequence[Span] = msgspec.json.decode(path.read_bytes(), type=list[tuple[int, int]])
    except FileNotFoundError:
        return Spans()
    except (msgspec.MsgspecError, OSError) as error:
        raise InvalidValue("coverage file", str(path), f"a list of spans; delete it to ask anew ({error})") from error
    found = Spans()
    for first, last in spans:
        found = found.with_span(first, last)
    return found


def write_spans(path: Path, spans: Spans) -> None:
    """Write the file whole or not at all."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with temporary.open("wb") as handle:
        handle.write(msgspec.json.encode(spans.spans))
        handle.flush()
        os.fsync(handle.fileno())
    temporary.rename(path)
