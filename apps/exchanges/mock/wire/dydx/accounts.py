"""The channel of an account: its orders, fills and positions as they change. Anybody may listen: a chain is public."""

from __future__ import annotations

import asyncio

from apps.exchanges.mock.engine.api import Fill
from apps.exchanges.mock.engine.events import Event, FundingPaid, OrderUpdated, UserFill
from apps.exchanges.mock.wire.dydx import views
from apps.exchanges.mock.wire.dydx.facts import OrderFacts
from apps.exchanges.mock.wire.dydx.line import IndexerLine
from apps.exchanges.mock.wire.dydx.reads import Reads
from apps.exchanges.mock.wire.dydx.refusals import RefusedRead
from apps.exchanges.mock.wire.dydx.venue import Venue
from apps.exchanges.mock.wire.dydx.words import SUBACCOUNT, subaccount_id, ticker_of
from apps.exchanges.mock.wire.port import Json
from apps.exchanges.mock.wire.topics import Topics

SUBACCOUNTS = "v4_subaccounts"


class AccountChannel:
    """What accounts are told, once the request that caused it is done with."""

    def __init__(self, venue: Venue, reads: Reads, topics: Topics) -> None:
        """Listen to the engine of `venue` and tell the lines of `topics`."""
        self._venue, self._reads, self._topics = venue, reads, topics
        self._orders: dict[str, dict[int, None]] = {}
        self._fills: dict[str, list[Fill]] = {}
        self._touched: dict[str, None] = {}
        self._scheduled = False
        venue.exchange.subscribe(self._on_event)
        venue.order_listeners.append(self._on_lapse)

    def first(self, name: str) -> Json:
        """Return what an account's topic begins with. Raises RefusedRead for an account there is not."""
        address, _, number = name.partition("/")
        if address not in self._venue.exchange.addresses() or number != str(SUBACCOUNT):
            raise RefusedRead(404, f"Invalid subaccount id: {name}")
        return {
            "subaccount": self._reads.subaccount(address),
            "orders": self._reads.open_order_rows(address),
            "blockHeight": str(self._venue.chain.height),
        }

    def account_changed(self, address: str) -> None:
        """Tell an account's lines of a deposit."""
        self._touch(address)

    def _on_event(self, event: Event) -> None:
        if isinstance(event, OrderUpdated):
            self._orders.setdefault(event.address, {})[event.order.oid] = None
            self._schedule()
        elif isinstance(event, UserFill):
            self._fills.setdefault(event.address, []).append(event.fill)
            self._touch(event.address)
        elif isinstance(event, FundingPaid):
            self._touch(event.address)

    def _on_lapse(self, facts: OrderFacts) -> None:
        self._orders.setdefault(facts.account, {})[facts.oid] = None
        self._schedule()

    def _touch(self, address: str) -> None:
        self._touched[address] = None
        self._schedule()

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        self._scheduled = False
        orders, self._orders = self._orders, {}
        fills, self._fills = self._fills, {}
        touched, self._touched = self._touched, {}
        for address in {**orders, **touched}:
            topic = f"{SUBACCOUNTS} {address}/{SUBACCOUNT}"
            if topic not in self._topics:
                continue
            contents: Json = {
                "orders": self._order_rows(address, list(orders.get(address, ()))),
                "fills": [self._fill_row(address, fill) for fill in fills.get(address, ())],
                **(self._holdings(address, fills.get(address, ())) if address in touched else {}),
            }
            told = {kind: rows for kind, rows in contents.items() if rows}
            if told:
                self._tell(address, {**told, "blockHeight": str(self._venue.chain.height)})

    def _tell(self, address: str, contents: Json) -> None:
        name = f"{address}/{SUBACCOUNT}"
        for line in self._topics.of(f"{SUBACCOUNTS} {name}"):
            if isinstance(line, IndexerLine):
                line.tell_contents(SUBACCOUNTS, name, contents)

    def _order_rows(self, address: str, oids: list[int]) -> list[Json]:
        rows = []
        for oid in oids:
            facts, row = self._venue.facts.current(oid), self._venue.exchange.order_by_oid(address, oid)
            if facts is not None and row is not None:
                rows.append(views.order_update(self._venue.blocks, row, facts))
        return rows

    def _fill_row(self, address: str, fill: Fill) -> Json:
        return {
            **views.fill(self._venue.blocks, fill, self._venue.facts.of(fill.oid)),
            "subaccountId": subaccount_id(address),
            "ticker": ticker_of(fill.coin),
            "quoteAmount": f"{fill.price * fill.size:f}",
        }

    def _holdings(self, address: str, fills: list[Fill] | tuple[()]) -> Json:
        """Return the positions after a fill, those it closed with size 0, and what is in the bank."""
        held = {row["market"]: {**row, "address": address} for row in self._reads.position_rows(address)}
        closed = {ticker_of(fill.coin) for fill in fills} - set(held)
        flat = [
            {"address": address, "subaccountNumber": SUBACCOUNT, "market": ticker, "status": "CLOSED", "size": "0"}
            for ticker in sorted(closed)
        ]
        bank = views.asset_positions(self._venue.exchange.account_state(address))
        return {
            "perpetualPositions": [*held.values(), *flat],
            "assetPositions": [{**row, "address": address} for row in bank.values()],
        }
