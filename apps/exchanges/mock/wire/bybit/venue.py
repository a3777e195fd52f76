"""One Bybit: the engine and what its wire has to remember."""

from __future__ import annotations

from apps.exchanges.mock.engine.api import Fill, FundingPayment, InstrumentSpec, OrderSnapshot
from apps.exchanges.mock.engine.events import Event, UserFill
from apps.exchanges.mock.engine.exchange import Exchange
from apps.exchanges.mock.faults import FaultBook
from apps.exchanges.mock.wire.bybit import execution_views, market_views, views
from apps.exchanges.mock.wire.bybit.facts import LIQUIDATION, FactBook
from apps.exchanges.mock.wire.bybit.limits import Windows
from apps.exchanges.mock.wire.bybit.words import VENUE
from apps.exchanges.mock.wire.config import WireConfig
from apps.exchanges.mock.wire.counts import Counts
from apps.exchanges.mock.wire.hmac_keys import KeyRing
from apps.exchanges.mock.wire.order_sums import OrderSums
from apps.exchanges.mock.wire.port import Json
from moondev.domain.clock import Clock, milliseconds


class Venue:
    """Keys, limits, counters and the facts the engine does not keep. Times are the run's, plus a fault's skew."""

    def __init__(self, exchange: Exchange, clock: Clock, config: WireConfig, faults: FaultBook) -> None:
        """Stand before `exchange`."""
        self.exchange, self.clock, self.config, self.faults = exchange, clock, config, faults
        self.keys, self.windows, self.counts = KeyRing(), Windows(), Counts()
        self.facts, self.sums = FactBook(), OrderSums()
        # Accounts in isolated margin mode, which is the whole account's here.
        self.isolated: set[str] = set()
        # Seconds after which the orders of an account are cancelled once its private connection is gone.
        self.silence_windows: dict[str, int] = {}
        self.specs: dict[str, InstrumentSpec] = {spec.coin: spec for spec in exchange.specs()}
        self.coins = frozenset(self.specs)
        exchange.subscribe(self._on_event)

    def now_ms(self) -> int:
        """Return the venue's clock in milliseconds."""
        return milliseconds(self.clock.now()) + self.faults.skew_ms(VENUE)

    def seconds(self) -> float:
        """Return the venue's clock in seconds."""
        return self.now_ms() / 1000

    def order_row(self, order: OrderSnapshot) -> Json:
        """Return an order in the venue's words."""
        return views.order(order, self.facts.of(order.oid), self.sums.of(order.oid), self.specs[order.coin])

    def execution_row(self, account: str, fill: Fill) -> Json:
        """Return a fill in the venue's words, its order as it is now."""
        return self.fill_row(fill, self.exchange.order_by_oid(account, fill.oid))

    def fill_row(self, fill: Fill, order: OrderSnapshot | None) -> Json:
        """Return a fill of `order` in the venue's words."""
        return execution_views.execution(fill, self.facts.of(fill.oid), order, self.exchange.mark(fill.coin))

    def funding_row(self, payment: FundingPayment) -> Json:
        """Return a funding payment in the venue's words for an execution."""
        return execution_views.funding_execution(payment, self.exchange.mark(payment.coin))

    def position_row(self, account: str, coin: str) -> Json:
        """Return the position in one coin, flat or not."""
        states = {entry.coin: entry for entry in self.exchange.account_state(account).positions}
        leverage, mark = self.exchange.leverage(account, coin), self.exchange.mark(coin)
        return views.position(states.get(coin), self.specs[coin], leverage, mark, self.now_ms())

    def wallet_row(self, account: str) -> Json:
        """Return the wallet of an account."""
        return views.wallet(self.exchange.account_state(account), isolated=account in self.isolated)

    def ticker_row(self, coin: str) -> Json:
        """Return the ticker of one coin."""
        book, last = self.exchange.book(coin, 1), next(iter(self.exchange.trades(coin, 1)), None)
        bid, ask = next(iter(book.bids), None), next(iter(book.asks), None)
        return market_views.ticker(self.exchange.asset_context(coin), last, bid, ask, self.now_ms())

    def _on_event(self, event: Event) -> None:
        if isinstance(event, UserFill):
            self.sums.add(event.fill)
            if event.fill.liquidation:
                self.facts.note(event.fill.oid, LIQUIDATION)
            self.counts.fills += 1
