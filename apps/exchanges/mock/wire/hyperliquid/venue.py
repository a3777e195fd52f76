"""What the Hyperliquid wire knows besides the engine: signers, limits, faults and its own records."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from apps.exchanges.mock.engine.api import AccountState, InstrumentSpec, OrderSnapshot, UnknownAccount
from apps.exchanges.mock.engine.exchange import Exchange
from apps.exchanges.mock.faults import FaultBook
from apps.exchanges.mock.wire.config import WireConfig
from apps.exchanges.mock.wire.hyperliquid.agents import AgentBook
from apps.exchanges.mock.wire.hyperliquid.builders import BuilderBook
from apps.exchanges.mock.wire.hyperliquid.limits import AddressLimiter, WeightLimiter
from apps.exchanges.mock.wire.hyperliquid.nonces import NonceBook
from apps.exchanges.mock.wire.hyperliquid.numbers import wire_usd
from apps.exchanges.mock.wire.hyperliquid.spot import SpotSide
from apps.exchanges.mock.wire.hyperliquid.views import Json
from moondev.domain.clock import Clock, milliseconds

VENUE = "hyperliquid"
KEPT_RECORDS = 2_000


@dataclass(slots=True)
class ActionCount:
    """How often one kind of action came from one account, and when last (ms, run time)."""

    received: int = 0
    refused: int = 0
    items: int = 0
    last_ms: int = 0
    last_accepted_ms: int = 0


class Records:
    """What the wire remembers for people who ask later."""

    def __init__(self) -> None:
        """Start with nothing recorded."""
        self.orders: dict[str, deque[OrderSnapshot]] = {}
        self.ledger: dict[str, list[Json]] = {}
        self.actions: dict[str, dict[str, ActionCount]] = {}
        self.fills = 0
        self.accepted_orders = 0

    def order(self, address: str, order: OrderSnapshot) -> None:
        """Keep one status of one order; the newest of each account stay."""
        kept = self.orders.get(address)
        if kept is None:
            kept = self.orders[address] = deque(maxlen=KEPT_RECORDS)
        kept.append(order)

    def action(self, account: str, kind: str) -> ActionCount:
        """Return the counter of one kind of action of one account."""
        return self.actions.setdefault(account, {}).setdefault(kind, ActionCount())


class Venue:
    """One Hyperliquid: the engine and everything its wire has to remember."""

    def __init__(self, exchange: Exchange, clock: Clock, config: WireConfig, faults: FaultBook) -> None:
        """Stand before `exchange`; all times come from `clock`."""
        self.exchange = exchange
        self.clock = clock
        self.config = config
        self.faults = faults
        self.agents = AgentBook()
        self.nonces = NonceBook()
        self.weights = WeightLimiter()
        self.addresses = AddressLimiter()
        self.records = Records()
        self.spot = SpotSide(exchange)
        self.builders = BuilderBook()
        self.perps: Mapping[str, InstrumentSpec] = {spec.coin: spec for spec in exchange.specs()}
        self.pairs: Mapping[str, InstrumentSpec] = {spec.coin: spec for spec in self.spot.pairs}
        listed = (*self.perps.values(), *self.pairs.values())
        self.coins: Mapping[int, str] = {spec.asset_id: spec.coin for spec in listed}
        self.assets: Mapping[str, int] = {coin: asset for asset, coin in self.coins.items()}
        self.on_ledger: Callable[[str, Json], None] = lambda _address, _row: None

    def now_ms(self) -> int:
        """Return the venue's clock in ms: the run's, plus the skew of a fault."""
        return milliseconds(self.clock.now()) + self.faults.skew_ms(VENUE)

    def now_seconds(self) -> float:
        """Return the run's clock in seconds, for rate limits."""
        return self.clock.now().timestamp()

    def open_account(self, address: str, deposit: Decimal) -> Json:
        """Open an account with `deposit` dollars, or add them to one that is open; return the ledger's entry."""
        self.exchange.open_account(address.lower(), deposit)
        return self.enter_in_ledger(address.lower(), {"type": "deposit", "usdc": wire_usd(deposit)})

    def enter_in_ledger(self, address: str, delta: Json) -> Json:
        """Note that money moved otherwise than by trading, tell who follows the ledger; return the entry."""
        now = self.now_ms()
        row: Json = {"time": now, "hash": f"0x{now:064x}", "delta": delta}
        self.records.ledger.setdefault(address, []).append(row)
        self.on_ledger(address, row)
        return row

    def has_account(self, address: str) -> bool:
        """Return whether somebody deposited for `address`."""
        return self.exchange.master_of(address) == address

    def state(self, address: str) -> AccountState | None:
        """Return the account at the marks, None when there is none."""
        try:
            return self.exchange.account_state(address)
        except UnknownAccount:
            return None

    def volume(self, address: str) -> Decimal:
        """Return the dollars this account has traded."""
        state = self.state(address)
        return Decimal(0) if state is None else state.volume
