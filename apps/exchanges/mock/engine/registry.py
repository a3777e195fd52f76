"""Who has an account, who may sign for it, and the leverage it chose."""

from __future__ import annotations

from decimal import Decimal

from apps.exchanges.mock.engine.accounts import Account
from apps.exchanges.mock.engine.api import Agent, Done, RejectCode, Rejected
from apps.exchanges.mock.engine.grid import money_units
from apps.exchanges.mock.engine.margin import leverage_of
from apps.exchanges.mock.engine.market import Market
from apps.exchanges.mock.engine.venue import Venue
from moondev.domain.errors import InvalidValue


class Registry:
    """Opens accounts and keeps their agents."""

    __slots__ = ("_venue",)

    def __init__(self, venue: Venue) -> None:
        self._venue = venue

    def open(self, address: str, deposit: Decimal) -> None:
        """Open an account, or add `deposit` to the one that is open."""
        units = money_units("deposit", deposit)
        if units < 0:
            raise InvalidValue("deposit", deposit, "0 or more")
        key, config = address.lower(), self._venue.config
        account = self._venue.accounts.get(key)
        if account is None:
            account = Account(key, config.fees(), config.spot_fees(), config.kept_orders, config.kept_fills)
            self._venue.accounts[key] = account
        if account.house:
            raise InvalidValue("address", address, "an address that is not the market's own")
        account.deposit += units
        account.cash += units

    def approve(self, master: str, agent: str, name: str | None, valid_until_ms: int) -> Done | Rejected:
        """Let `agent` sign for `master`; an agent of the same name is replaced."""
        account, key = self._venue.account(master), agent.lower()
        owner = self._venue.masters.get(key)
        if key in self._venue.accounts or owner not in (None, account.address):
            return Rejected(RejectCode.AGENT_IN_USE, f"{key} belongs to another account")
        for old in [a for a in account.agents.values() if a.name == name or a.address == key]:
            del account.agents[old.address]
            del self._venue.masters[old.address]
        account.agents[key] = Agent(key, name, valid_until_ms)
        self._venue.masters[key] = account.address
        return Done()

    def agents(self, master: str) -> tuple[Agent, ...]:
        """Return the agents of `master` that are still valid."""
        agents = self._venue.account(master).agents.values()
        return tuple(agent for agent in agents if agent.valid_until_ms > self._venue.now_ms)

    def master_of(self, address: str) -> str | None:
        """Return the account `address` may act for: itself, its master, or None."""
        key = address.lower()
        account = self._venue.accounts.get(key)
        if account is not None:
            return None if account.house else key
        master = self._venue.masters.get(key)
        if master is None:
            return None
        agent = self._venue.accounts[master].agents[key]
        return master if agent.valid_until_ms > self._venue.now_ms else None

    def update_leverage(self, account: Account, coin: str, leverage: int, *, is_cross: bool) -> Done | Rejected:
        """Set leverage and margin mode of `coin`; refused when the account could not carry its positions.

        The mode of an open position cannot be changed. An isolated one that needs more margin takes it from the
        account.
        """
        market = self._venue.markets.get(coin)
        if market is None or market.base is not None:
            return Rejected(RejectCode.UNKNOWN_COIN, f"coin {coin}")
        if not 1 <= leverage <= market.spec.max_leverage:
            return Rejected(RejectCode.INVALID_LEVERAGE, f"leverage {leverage}: 1 to {market.spec.max_leverage}")
        held, was_isolated = account.size_of(coin), coin in account.isolated
        if held and was_isolated is is_cross:
            return Rejected(RejectCode.MARGIN_MODE_LOCKED, f"{coin} has an open position")
        before = account.leverage.get(coin)
        account.leverage[coin] = leverage
        _set_mode(account, coin, isolated=not is_cross)
        if self._carries(account, market):
            return Done()
        _set_mode(account, coin, isolated=was_isolated)
        if before is None:
            del account.leverage[coin]
        else:
            account.leverage[coin] = before
        return Rejected(RejectCode.INSUFFICIENT_MARGIN, f"leverage {leverage} of {coin} needs more margin")

    def move_isolated_margin(self, account: Account, coin: str, units: int) -> Done | Rejected:
        """Add `units` of money to the margin of an isolated position, or take them away when negative."""
        market = self._venue.markets.get(coin)
        position = account.positions.get(coin)
        if market is None or position is None or coin not in account.isolated:
            return Rejected(RejectCode.NO_ISOLATED_POSITION, f"{coin} has no isolated position")
        free = self._venue.margin.withdrawable(account) if units > 0 else self._spare(account, market)
        if abs(units) > free:
            return Rejected(RejectCode.INSUFFICIENT_MARGIN, f"{units} units of margin are not free")
        position.margin += units
        return Done()

    def _spare(self, account: Account, market: Market) -> int:
        """Return what an isolated position has beyond its initial margin; negative: what it lacks."""
        needed = market.initial_margin(account.size_of(market.coin), leverage_of(account, market))
        return self._venue.margin.isolated_equity(account, market) - needed

    def _carries(self, account: Account, market: Market) -> bool:
        """Return whether the account carries what it holds of `market`, an isolated position topped up if need be."""
        margin = self._venue.margin
        position = account.positions.get(market.coin)
        if position is None:
            return True
        missing = 0
        if market.coin in account.isolated:
            missing = max(0, -self._spare(account, market))
        if margin.required(account) + missing > margin.cross_value(account):
            return False
        position.margin += missing
        return True


def _set_mode(account: Account, coin: str, *, isolated: bool) -> None:
    if isolated:
        account.isolated.add(coin)
    else:
        account.isolated.discard(coin)
