"""One dYdX: the engine and what its wire has to remember."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping
from uuid import uuid4

from apps.exchanges.mock.engine.api import OrderSnapshot
from apps.exchanges.mock.engine.events import Event, UserFill
from apps.exchanges.mock.engine.exchange import Exchange
from apps.exchanges.mock.faults import FaultBook
from apps.exchanges.mock.wire.config import WireConfig
from apps.exchanges.mock.wire.counts import Counts
from apps.exchanges.mock.wire.dydx.chain import Blocks, Chain
from apps.exchanges.mock.wire.dydx.facts import FactBook, OrderFacts
from apps.exchanges.mock.wire.dydx.limits import ReadLimits
from apps.exchanges.mock.wire.dydx.positions import PositionStories
from apps.exchanges.mock.wire.dydx.scales import Scale
from apps.exchanges.mock.wire.dydx.words import QUOTE, SUBACCOUNT, VENUE, iso, plain, subaccount_id, ticker_of
from apps.exchanges.mock.wire.port import AccountRequest, Json
from moondev.domain.clock import Clock, milliseconds

EXPIRED = "ORDER_REMOVAL_REASON_INDEXER_EXPIRED"
OrderListener = Callable[[OrderFacts], None]


class Venue:
    """The chain and the facts the engine does not keep. Times are the run's, plus a fault's skew."""

    def __init__(self, exchange: Exchange, clock: Clock, config: WireConfig, faults: FaultBook) -> None:
        """Stand before `exchange`."""
        self.exchange, self.clock, self.config, self.faults = exchange, clock, config, faults
        self.blocks, self.facts = Blocks(config.block_ms), FactBook()
        self.chain = Chain(self.blocks, self.now_ms())
        self.counts, self.reads, self.stories = Counts(), ReadLimits(), PositionStories()
        self.transfers: dict[str, list[Json]] = {}
        self.specs = {spec.coin: spec for spec in exchange.specs()}
        self.scales: Mapping[str, Scale] = {coin: Scale.of(spec) for coin, spec in self.specs.items()}
        self.pairs: Mapping[int, Scale] = {scale.pair: scale for scale in self.scales.values()}
        self.coins: Mapping[str, str] = {ticker_of(coin): coin for coin in self.specs}
        # Told of an order that changed by the passing of time alone, which is no event of the engine.
        self.order_listeners: list[OrderListener] = []
        self._lapsing: list[tuple[int, int]] = []
        self._ending: list[tuple[int, int]] = []
        exchange.subscribe(self._on_event)

    def now_ms(self) -> int:
        """Return the venue's clock in milliseconds."""
        return milliseconds(self.clock.now()) + self.faults.skew_ms(VENUE)

    def advance(self) -> None:
        """Make the blocks that are due, and end the orders whose last block or second is over."""
        if not self.chain.advance(self.now_ms()):
            return
        height = self.chain.height
        self._lapse(self._lapsing, height)
        self._lapse(self._ending, self.blocks.time_ms(height) // 1000)

    def open_account(self, request: AccountRequest) -> None:
        """Open or add to an account, with the chain's full leverage, and learn its key. Raises ValueError."""
        if request.public_key:
            self.chain.open(request.address, request.public_key)
        self.exchange.open_account(request.address, request.deposit)
        for coin, spec in self.specs.items():
            self.exchange.update_leverage(request.address, coin, spec.max_leverage, is_cross=True)
        if request.deposit:
            self._note_deposit(request)

    def watch(self, facts: OrderFacts) -> None:
        """Remember to end an order when its time is over."""
        heapq.heappush(self._lapsing if facts.short_term else self._ending, (facts.good_til, facts.oid))

    def order(self, facts: OrderFacts) -> OrderSnapshot | None:
        """Return the engine's side of an order."""
        return self.exchange.order_by_oid(facts.account, facts.oid)

    def _lapse(self, due: list[tuple[int, int]], now: int) -> None:
        while due and due[0][0] <= now:
            _, oid = heapq.heappop(due)
            facts = self.facts.of(oid)
            if facts is None:
                continue
            facts.lapsed = True
            order = self.order(facts)
            if order is None or order.status.final:
                continue
            facts.removal = EXPIRED
            self.exchange.cancel(facts.account, facts.coin, oid)
            for listener in self.order_listeners:
                listener(facts)

    def _note_deposit(self, request: AccountRequest) -> None:
        now = self.now_ms()
        here = {"address": request.address, "subaccountNumber": SUBACCOUNT}
        row = {
            "id": subaccount_id(f"{request.address}/{uuid4()}"),
            "sender": {"address": request.address},
            "recipient": here,
            "size": plain(request.deposit),
            "createdAt": iso(now),
            "createdAtHeight": str(self.blocks.height_at(now)),
            "symbol": QUOTE,
            "type": "DEPOSIT",
            "transactionHash": f"{uuid4().hex}{uuid4().hex}".upper(),
        }
        self.transfers.setdefault(request.address, []).append(row)

    def _on_event(self, event: Event) -> None:
        if isinstance(event, UserFill):
            self.counts.fills += 1
            self.stories.add(event.address, event.fill, self.chain.height)
