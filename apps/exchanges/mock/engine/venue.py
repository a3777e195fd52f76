"""The shared state of one engine: markets, accounts, counters and the time of the request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from apps.exchanges.mock.engine.accounts import Account, Fees
from apps.exchanges.mock.engine.api import UnknownAccount
from apps.exchanges.mock.engine.deadlines import Deadlines
from apps.exchanges.mock.engine.margin import MarginBook
from apps.exchanges.mock.engine.market import Market
from apps.exchanges.mock.engine.outbox import Outbox
from moondev.domain.errors import InvalidValue

_PPM_IN_BPS = 100
# The venue's own accounts; nobody knows a key to such an address.
HOUSE_MAKER = f"0x{1:040x}"
HOUSE_TAKER = f"0x{2:040x}"
INSURANCE_FUND = f"0x{3:040x}"
# Ids start from the time, so that a venue that was restarted never gives one again. Below 2^53.
_IDS_PER_MS = 1_000


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """Rates and limits. Fees in basis points of the notional; limits are counts per account."""

    maker_fee_bps: Decimal = Decimal("1.5")
    taker_fee_bps: Decimal = Decimal("4.5")
    spot_maker_fee_bps: Decimal = Decimal("4.0")
    spot_taker_fee_bps: Decimal = Decimal("7.0")
    max_open_orders: int = 1_000
    kept_orders: int = 100_000
    kept_fills: int = 50_000

    def fees(self) -> Fees:
        """Return the rates in millionths. Raises InvalidValue when finer than that."""
        return Fees(_ppm("maker_fee_bps", self.maker_fee_bps), _ppm("taker_fee_bps", self.taker_fee_bps))

    def spot_fees(self) -> Fees:
        """Return the rates of spot pairs in millionths. Raises InvalidValue when finer than that."""
        maker = _ppm("spot_maker_fee_bps", self.spot_maker_fee_bps)
        return Fees(maker, _ppm("spot_taker_fee_bps", self.spot_taker_fee_bps))


def _ppm(field_name: str, bps: Decimal) -> int:
    ppm = bps * _PPM_IN_BPS
    if not bps.is_finite() or ppm != int(ppm):
        raise InvalidValue(field_name, bps, "basis points with at most 2 decimals")
    return int(ppm)


@dataclass(slots=True, eq=False)
class Venue:
    """What all parts of the engine share. `now_ms` is the time of the request in hand."""

    config: EngineConfig
    markets: Mapping[str, Market]
    now_ms: int
    outbox: Outbox = field(default_factory=Outbox)
    deadlines: Deadlines = field(default_factory=Deadlines)
    accounts: dict[str, Account] = field(default_factory=dict)
    masters: dict[str, str] = field(default_factory=dict)
    margin: MarginBook = field(init=False)
    fees_collected: int = 0
    funding_collected: int = 0
    spot_fees_collected: dict[str, int] = field(default_factory=dict)
    spot_deposits: dict[str, int] = field(default_factory=dict)
    _last_oid: int = field(init=False)
    _last_tid: int = field(init=False)

    def __post_init__(self) -> None:
        self.margin = MarginBook(self.markets)
        self._last_oid = self._last_tid = self.now_ms * _IDS_PER_MS
        for address in (HOUSE_MAKER, HOUSE_TAKER, INSURANCE_FUND):
            self.accounts[address] = Account(address, Fees(0, 0), Fees(0, 0), 0, 0, house=True)

    def forfeit(self, account: Account, units: int) -> None:
        """Let the insurance fund have `units` of an account's cash; negative: the fund pays them."""
        fund = self.accounts[INSURANCE_FUND]
        for party, signed in ((account, units), (fund, -units)):
            party.cash -= signed
            party.forfeited += signed

    def next_oid(self) -> int:
        """Return an order id never given before."""
        self._last_oid += 1
        return self._last_oid

    def next_tid(self) -> int:
        """Return a trade id never given before."""
        self._last_tid += 1
        return self._last_tid

    def market(self, coin: str) -> Market:
        """Return the market of `coin`. Raises InvalidValue when there is none."""
        market = self.markets.get(coin)
        if market is None:
            raise InvalidValue("coin", coin, ", ".join(self.markets))
        return market

    def perps(self) -> list[Market]:
        """Return the perpetuals, by asset id."""
        return [market for market in self.markets.values() if market.base is None]

    def account(self, address: str) -> Account:
        """Return the account of `address`. Raises UnknownAccount when nobody opened one."""
        account = self.accounts.get(address.lower())
        if account is None:
            raise UnknownAccount(address)
        return account

    def people(self) -> list[Account]:
        """Return all accounts but the market's own."""
        return [account for account in self.accounts.values() if not account.house]
