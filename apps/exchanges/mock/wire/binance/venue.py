"""One Binance: the engine and what its wire has to remember."""

from __future__ import annotations

from decimal import Decimal

from apps.exchanges.mock.engine.api import AccountState, Fill, InstrumentSpec, OrderSnapshot
from apps.exchanges.mock.engine.events import Event, FundingPaid, UserFill
from apps.exchanges.mock.engine.exchange import Exchange
from apps.exchanges.mock.faults import FaultBook
from apps.exchanges.mock.wire.binance import views
from apps.exchanges.mock.wire.binance.fields import Params
from apps.exchanges.mock.wire.binance.limits import Limits
from apps.exchanges.mock.wire.binance.listen_keys import ListenKeys
from apps.exchanges.mock.wire.binance.refusals import BAD_SYMBOL, RefusedError
from apps.exchanges.mock.wire.binance.words import VENUE, Kinds, symbol_of
from apps.exchanges.mock.wire.config import WireConfig
from apps.exchanges.mock.wire.counts import Counts
from apps.exchanges.mock.wire.hmac_keys import KeyRing
from apps.exchanges.mock.wire.order_sums import OrderSums
from apps.exchanges.mock.wire.port import Json
from moondev.domain.clock import Clock, milliseconds


class Venue:
    """Keys, limits, counters and the facts the engine does not keep. Times are the run's, plus a fault's skew."""

    def __init__(self, exchange: Exchange, clock: Clock, config: WireConfig, faults: FaultBook) -> None:
        """Stand before the perpetuals of `exchange`."""
        self.exchange, self.clock, self.config, self.faults = exchange, clock, config, faults
        self.keys, self.limits, self.counts, self.listen_keys = KeyRing(), Limits(), Counts(), ListenKeys()
        self.kinds, self.sums = Kinds(), OrderSums()
        self.specs: dict[str, InstrumentSpec] = {spec.coin: spec for spec in self.listed()}
        self.coins: dict[str, str] = {symbol_of(coin): coin for coin in self.specs}
        self._funding_prices: dict[tuple[str, int], Decimal] = {}
        exchange.subscribe(self._on_event)

    def listed(self) -> tuple[InstrumentSpec, ...]:
        """Return what is traded here: of the engine's instruments the perpetuals."""
        return self.exchange.specs()

    def now_ms(self) -> int:
        """Return the venue's clock in milliseconds."""
        return milliseconds(self.clock.now()) + self.faults.skew_ms(VENUE)

    def seconds(self) -> float:
        """Return the venue's clock in seconds."""
        return self.now_ms() / 1000

    def coin(self, params: Params) -> str:
        """Return the coin of the mandatory parameter `symbol`."""
        coin = self.coins.get(params.text("symbol"))
        if coin is None:
            raise RefusedError(*BAD_SYMBOL)
        return coin

    def coins_asked(self, params: Params) -> list[str]:
        """Return the coin of `symbol`, or all coins when it was not sent."""
        return list(self.specs) if params.find("symbol") is None else [self.coin(params)]

    def order_row(self, account: str, order: OrderSnapshot) -> Json:
        """Return an order in the venue's words."""
        spec = self.specs[order.coin]
        return views.order(order, self.kinds.of(account, order.cloid), self.sums.of(order.oid), spec)

    def state(self, account: str) -> AccountState:
        """Return the account at the marks."""
        return self.exchange.account_state(account)

    def fill_row(self, fill: Fill) -> Json:
        """Return a fill in the venue's words."""
        return views.user_trade(fill, self.specs[fill.coin])

    def funding_price(self, coin: str, time_ms: int) -> Decimal:
        """Return the price at which funding was paid at a moment; the mark of now where nobody paid."""
        return self._funding_prices.get((coin, time_ms)) or self.exchange.mark(coin)

    def deposit(self, account: str, amount: Decimal) -> None:
        """Open an account with `amount`, or add to it."""
        self.exchange.open_account(account, amount)

    def _on_event(self, event: Event) -> None:
        if isinstance(event, UserFill) and event.fill.coin in self.specs:
            self.sums.add(event.fill)
            self.counts.fills += 1
        elif isinstance(event, FundingPaid):
            when = event.payment.coin, event.payment.time_ms
            self._funding_prices.setdefault(when, self.exchange.asset_context(event.payment.coin).oracle)
