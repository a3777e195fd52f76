"""Orders that belong together: legs wait for their parent's fill and exclude each other."""

from __future__ import annotations

from dataclasses import dataclass, field

from apps.exchanges.mock.engine.orders import Order


@dataclass(slots=True, eq=False)
class Bracket:
    """A take-profit and stop group. `parent` None means the legs are live without waiting."""

    parent: Order | None
    legs: list[Order] = field(default_factory=list)

    def join(self, leg: Order) -> None:
        """Make `leg` a member."""
        leg.bracket = self
        self.legs.append(leg)

    def replace(self, old: Order, new: Order) -> None:
        """Let `new` take the place of `old`."""
        new.bracket, old.bracket = self, None
        if self.parent is old:
            self.parent = new
            return
        self.legs = [new if leg is old else leg for leg in self.legs]

    def siblings_of(self, order: Order) -> list[Order]:
        """Return the other legs."""
        return [leg for leg in self.legs if leg is not order]

    def children_of(self, order: Order) -> tuple[int, ...]:
        """Return the oids of the legs when `order` is the parent, else nothing."""
        return tuple(leg.oid for leg in self.legs) if order is self.parent else ()
