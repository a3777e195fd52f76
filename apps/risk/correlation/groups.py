"""Which names belong together: whoever is linked to one of a group is of the group. Pure."""

from __future__ import annotations

from collections.abc import Iterable


def group_of(name: str, links: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Return everybody who is linked to `name`, directly or through others, and itself; by name."""
    neighbours: dict[str, set[str]] = {}
    for one, other in links:
        neighbours.setdefault(one, set()).add(other)
        neighbours.setdefault(other, set()).add(one)
    found, ahead = {name}, [name]
    while ahead:
        fresh = neighbours.get(ahead.pop(), set()) - found
        found |= fresh
        ahead += fresh
    return tuple(sorted(found))
