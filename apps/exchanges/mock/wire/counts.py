"""What a venue has seen, for people who ask later: requests by account and kind, orders, fills."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

from apps.exchanges.mock.wire.port import Json


@dataclass(slots=True)
class ActionCount:
    """How often one kind of action came from one account, and when last (ms, run time)."""

    received: int = 0
    refused: int = 0
    items: int = 0
    last_ms: int = 0
    last_accepted_ms: int = 0


@dataclass(slots=True)
class Counts:
    """Counters of one venue."""

    orders: int = 0
    fills: int = 0
    actions: dict[str, dict[str, ActionCount]] = field(default_factory=dict)

    def received(self, account: str, kind: str, items: int, now_ms: int) -> ActionCount:
        """Count an action about `items` orders; return the counter, for its outcome to be noted."""
        count = self.actions.setdefault(account, {}).setdefault(kind, ActionCount())
        count.received += 1
        count.items += items
        count.last_ms = now_ms
        return count

    def listing(self, connections: int) -> Json:
        """Return the counters as `Wire.counts` gives them."""
        actions = {
            account: {kind: asdict(count) for kind, count in kinds.items()} for account, kinds in self.actions.items()
        }
        return {"connections": connections, "orders": self.orders, "fills": self.fills, "actions": actions}
