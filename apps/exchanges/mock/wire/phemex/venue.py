"""One Phemex: the engine and what its wire has to remember."""

from __future__ import annotations

from apps.exchanges.mock.engine.api import InstrumentSpec
from apps.exchanges.mock.engine.events import Event, FundingPaid, OrderUpdated, UserFill
from apps.exchanges.mock.engine.exchange import Exchange
from apps.exchanges.mock.faults import FaultBook
from apps.exchanges.mock.wire.config import WireConfig
from apps.exchanges.mock.wire.counts import Counts
from apps.exchanges.mock.wire.hmac_keys import KeyRing
from apps.exchanges.mock.wire.order_sums import OrderSums
from apps.exchanges.mock.wire.phemex.facts import FactBook
from apps.exchanges.mock.wire.phemex.limits import Windows
from apps.exchanges.mock.wire.phemex.words import NS_PER_MS, VENUE
from moondev.domain.clock import Clock, milliseconds

_FIRST_USER = 1_000_001
# Steps of the sequence are uneven at the venue, which counts other people's doings too.
_STEP = 3


class Venue:
    """Keys, limits, counters and the facts the engine does not keep. Times are the run's, plus a fault's skew."""

    def __init__(self, exchange: Exchange, clock: Clock, config: WireConfig, faults: FaultBook) -> None:
        """Stand before `exchange`."""
        self.exchange, self.clock, self.config, self.faults = exchange, clock, config, faults
        self.keys, self.windows, self.counts = KeyRing(), Windows(), Counts()
        self.facts, self.sums = FactBook(), OrderSums()
        self.specs: dict[str, InstrumentSpec] = {spec.coin: spec for spec in exchange.specs()}
        self.coins = frozenset(self.specs)
        self._users: dict[str, int] = {}
        self._touched: dict[str, dict[str, None]] = {}
        self._sequence = 1_000_000
        exchange.subscribe(self._on_event)

    def now_ms(self) -> int:
        """Return the venue's clock in milliseconds."""
        return milliseconds(self.clock.now()) + self.faults.skew_ms(VENUE)

    def now_ns(self) -> int:
        """Return the venue's clock in nanoseconds."""
        return self.now_ms() * NS_PER_MS

    def seconds(self) -> float:
        """Return the venue's clock in seconds."""
        return self.now_ms() / 1000

    def next_sequence(self) -> int:
        """Return the number of the next message: larger than every earlier one, seldom by one."""
        self._sequence += _STEP
        return self._sequence

    def user_id(self, account: str) -> int:
        """Return the venue's number of an account's owner."""
        return self._users.setdefault(account, _FIRST_USER + len(self._users))

    def account_id(self, account: str) -> int:
        """Return the venue's number of an owner's USDT account."""
        return self.user_id(account) * 10_000 + 3

    def touched(self, account: str) -> tuple[str, ...]:
        """Return the coins an account has dealt in: each keeps a row among the positions, flat or not."""
        return tuple(self._touched.get(account, ()))

    def touch(self, account: str, coin: str) -> None:
        """Note that an account deals in a coin."""
        self._touched.setdefault(account, {})[coin] = None

    def _on_event(self, event: Event) -> None:
        if isinstance(event, OrderUpdated):
            self.touch(event.address, event.order.coin)
        elif isinstance(event, UserFill):
            self.sums.add(event.fill)
            self.counts.fills += 1
        elif isinstance(event, FundingPaid):
            self.touch(event.address, event.payment.coin)
