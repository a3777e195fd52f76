"""The mock exchange as its operator sees it: faults on demand, quotes and trades of its own, and what it remembers."""

from __future__ import annotations

from contextlib import contextmanager
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

import requests

from tests.chaos.waiting import wait_until

D = Decimal
MARK = D(100_000)
BID, ASK = D(99_900), D(100_100)
_TIMEOUT_S = 30.0


class TheirFill(NamedTuple):
    """One fill as the venue tells it."""

    order: str
    side: str
    quantity: Decimal
    price: Decimal
    fee: Decimal


class Mock:
    """One mock exchange, over HTTP."""

    def __init__(self, url: str) -> None:
        self.url = url

    def open_market(self, depth: str = "1000") -> None:
        """Give BTC a mark and a deep market of the house around it: whoever crosses it trades at once."""
        self._post("/admin/mark", coin="BTC", price=str(MARK))
        self._post("/admin/quote", coin="BTC", side="buy", price=str(BID), size=depth)
        self._post("/admin/quote", coin="BTC", side="sell", price=str(ASK), size=depth)

    def trade(self, side: str, price: Decimal | str, size: Decimal | str) -> Decimal:
        """Let a stranger trade up to `size` no worse than `price`; return how much that came to."""
        return D(self._post("/admin/trade", coin="BTC", side=side, price=str(price), size=str(size))["traded"])

    def fault(self, kind: str, **more: Any) -> None:
        """Let something go wrong from now on."""
        self._post("/admin/faults", kind=kind, **more)

    @contextmanager
    def faulty(self, kind: str, **more: Any):
        """Let something go wrong while the block runs."""
        self.fault(kind, **more)
        try:
            yield
        finally:
            self.heal()

    def heal(self) -> None:
        """Take every fault away."""
        requests.delete(f"{self.url}/admin/faults", timeout=_TIMEOUT_S).raise_for_status()

    def struck(self, kind: str) -> int:
        """Return how often faults of a kind have struck so far."""
        faults = requests.get(f"{self.url}/admin/faults", timeout=_TIMEOUT_S).json()
        return sum(fault["struck"] for fault in faults if fault["kind"] == kind)

    def wait_struck(self, kind: str, times: int = 1) -> None:
        """Wait until faults of a kind have struck so often."""
        wait_until(f"{kind} to strike", lambda: self.struck(kind) >= times, 30)

    def state(self) -> dict[str, Any]:
        """Return what the mock has seen, from its own control page."""
        reply = requests.get(f"{self.url}/admin/state", timeout=_TIMEOUT_S)
        reply.raise_for_status()
        return reply.json()

    def account(self, address: str) -> dict[str, Any]:
        """Return the part of the state that is about one account."""
        return self.state()["accounts"][address]

    def received(self, address: str, kind: str) -> int:
        """Return how many signed requests of a kind an account has sent: one that is sent twice counts twice."""
        return self.account(address)["actions"].get(kind, {}).get("received", 0)

    def orders(self, address: str) -> dict[UUID, set[str]]:
        """Return every order the venue ever took from an account: the venue's ids by client order id."""
        found: dict[UUID, set[str]] = {}
        for record in self._info("historicalOrders", address):
            order = record["order"]
            if record["status"] != "rejected":
                found.setdefault(UUID(hex=order["cloid"][2:]), set()).add(str(order["oid"]))
        return found

    def open_orders(self, address: str) -> set[str]:
        """Return the venue's ids of the orders that live."""
        return {str(order["oid"]) for order in self._info("frontendOpenOrders", address, dex="")}

    def fills(self, address: str) -> dict[str, TheirFill]:
        """Return every fill of an account by trade id; both sides of a trade have the same, hence the order's too."""
        sides = {"B": "buy", "A": "sell"}
        return {
            f"{fill['oid']}-{fill['tid']}": TheirFill(
                str(fill["oid"]), sides[fill["side"]], D(fill["sz"]), D(fill["px"]), D(fill["fee"])
            )
            for fill in self._info("userFillsByTime", address, startTime=0, aggregateByTime=False)
        }

    def _info(self, kind: str, address: str, **more: Any) -> Any:
        reply = requests.post(f"{self.url}/hl/info", json={"type": kind, "user": address, **more}, timeout=_TIMEOUT_S)
        reply.raise_for_status()
        return reply.json()

    def _post(self, path: str, **body: Any) -> Any:
        reply = requests.post(f"{self.url}{path}", json=body, timeout=_TIMEOUT_S)
        assert reply.status_code == 200, reply.text
        return reply.json()
