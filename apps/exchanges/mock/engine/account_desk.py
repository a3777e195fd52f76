"""One half of the engine's front door: who has an account, with which leverage, and what lies in it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from decimal import Decimal

from apps.exchanges.mock.engine.api import Agent, BalanceState, Done, Rejected
from apps.exchanges.mock.engine.grid import money_units
from apps.exchanges.mock.engine.margin import leverage_of
from apps.exchanges.mock.engine.registry import Registry
from apps.exchanges.mock.engine.venue import Venue
from apps.exchanges.mock.engine.wallets import Wallets


class AccountDesk(ABC):
    """What may be asked about accounts. Every address is accepted in any case; UnknownAccount when there is none."""

    def __init__(self, venue: Venue) -> None:
        """Serve the accounts of `venue`."""
        self._venue = venue
        self._registry = Registry(venue)
        self._wallets = Wallets(venue)

    @abstractmethod
    def _begin(self) -> int:
        """Let the request happen now; return that time."""

    def open_account(self, address: str, deposit: Decimal) -> None:
        """Open an account; for one that is open, add `deposit`."""
        self._begin()
        self._registry.open(address, deposit)

    def addresses(self) -> tuple[str, ...]:
        """Return the addresses of all accounts (the market's own are not listed)."""
        return tuple(account.address for account in self._venue.people())

    def approve_agent(self, master: str, agent: str, name: str | None, valid_until_ms: int) -> Done | Rejected:
        """Let `agent` sign for `master`; an agent of the same name is replaced."""
        self._begin()
        return self._registry.approve(master, agent, name, valid_until_ms)

    def agents(self, master: str) -> tuple[Agent, ...]:
        """Return the agents of `master` that are still valid."""
        return self._registry.agents(master)

    def master_of(self, address: str) -> str | None:
        """Return the account `address` may act for: itself, its master, or None."""
        return self._registry.master_of(address)

    def update_leverage(self, address: str, coin: str, leverage: int, *, is_cross: bool) -> Done | Rejected:
        """Set leverage and margin mode of `coin`; the mode of an open position cannot be changed."""
        self._begin()
        return self._registry.update_leverage(self._venue.account(address), coin, leverage, is_cross=is_cross)

    def move_isolated_margin(self, address: str, coin: str, amount: Decimal) -> Done | Rejected:
        """Add `amount` of quote currency to the margin of an isolated position, or take it away when negative."""
        self._begin()
        units = money_units("amount", amount)
        return self._registry.move_isolated_margin(self._venue.account(address), coin, units)

    def is_isolated(self, address: str, coin: str) -> bool:
        """Return whether a position in `coin` has, or would have, margin of its own."""
        return coin in self._venue.account(address).isolated

    def leverage(self, address: str, coin: str) -> int:
        """Return the leverage set for `coin`."""
        return leverage_of(self._venue.account(address), self._venue.market(coin))

    # spot balances; every asset of a spot pair is held here, the margin of perpetuals apart from it
    def deposit_asset(self, address: str, asset: str, amount: Decimal) -> None:
        """Add `amount` of `asset` to the spot balances. Raises InvalidValue for an asset that no pair trades."""
        self._begin()
        self._wallets.deposit(self._venue.account(address), asset, amount)

    def balances(self, address: str) -> tuple[BalanceState, ...]:
        """Return the spot balances that are not empty."""
        return self._wallets.states(self._venue.account(address))

    def balance(self, address: str, asset: str) -> BalanceState:
        """Return one spot balance."""
        return self._wallets.state(self._venue.account(address), asset)

    def transfer(self, address: str, asset: str, amount: Decimal, *, to_spot: bool) -> Done | Rejected:
        """Move `amount` of the margin currency, called `asset`, between margin and spot balance of one account."""
        self._begin()
        return self._wallets.cross_over(self._venue.account(address), asset, amount, to_spot=to_spot)

    def send_asset(self, address: str, to: str, asset: str, amount: Decimal) -> Done | Rejected:
        """Give `amount` of a spot balance to another account. Raises UnknownAccount when there is none."""
        self._begin()
        return self._wallets.send(self._venue.account(address), self._venue.account(to), asset, amount)

    def send_margin(self, address: str, to: str, amount: Decimal) -> Done | Rejected:
        """Give `amount` of the margin currency to another account. Raises UnknownAccount when there is none."""
        self._begin()
        return self._wallets.send_margin(self._venue.account(address), self._venue.account(to), amount)
