"""Moving assets without trading: deposits, and transfers between the two sides of an account or between accounts."""

from __future__ import annotations

from decimal import Decimal

from apps.exchanges.mock.engine.accounts import Account, Balance
from apps.exchanges.mock.engine.api import BalanceState, Done, RejectCode, Rejected
from apps.exchanges.mock.engine.grid import amount, amount_units, money_units
from apps.exchanges.mock.engine.holds import QUOTE_SCALE
from apps.exchanges.mock.engine.venue import Venue
from moondev.domain.errors import InvalidValue


class Wallets:
    """Keeps what accounts have at the spot market, and what crosses over to their margin."""

    __slots__ = ("_venue",)

    def __init__(self, venue: Venue) -> None:
        self._venue = venue

    def deposit(self, account: Account, asset: str, value: Decimal) -> None:
        """Add `value` of `asset`. Raises InvalidValue for an asset that no pair trades and for a negative amount."""
        assets = self.assets()
        if asset not in assets:
            raise InvalidValue("asset", asset, ", ".join(assets) or "no asset: the venue has no spot pair")
        units = amount_units("amount", value)
        if units < 0:
            raise InvalidValue("amount", value, "0 or more")
        account.balance(asset).receive(units)
        self._venue.spot_deposits[asset] = self._venue.spot_deposits.get(asset, 0) + units

    def assets(self) -> tuple[str, ...]:
        """Return every asset of a spot pair, quotes first."""
        specs = [market.spec for market in self._venue.markets.values() if market.base is not None]
        return tuple(dict.fromkeys([spec.quote for spec in specs] + [spec.base or "" for spec in specs]))

    def states(self, account: Account) -> tuple[BalanceState, ...]:
        """Return every balance that is not empty."""
        return tuple(_state(asset, b) for asset, b in account.balances.items() if b.total or b.held)

    def state(self, account: Account, asset: str) -> BalanceState:
        """Return one balance."""
        return _state(asset, account.balances.get(asset) or Balance())

    def cross_over(self, account: Account, asset: str, value: Decimal, *, to_spot: bool) -> Done | Rejected:
        """Move `value` of the venue's quote currency between margin and spot."""
        units = money_units("amount", value)
        balance, margin = account.balance(asset), self._venue.margin
        free = margin.withdrawable(account) if to_spot else balance.free // QUOTE_SCALE
        if units <= 0 or units > free:
            return _not_enough(value, asset)
        signed = units if to_spot else -units
        account.cash -= signed
        account.deposit -= signed
        if to_spot:
            balance.receive(units * QUOTE_SCALE)
        else:
            balance.give(units * QUOTE_SCALE)
        self._venue.spot_deposits[asset] = self._venue.spot_deposits.get(asset, 0) + signed * QUOTE_SCALE
        return Done()

    def send(self, account: Account, to: Account, asset: str, value: Decimal) -> Done | Rejected:
        """Give `value` of `asset` at the spot market to another account."""
        units, balance = amount_units("amount", value), account.balance(asset)
        if units <= 0 or units > balance.free:
            return _not_enough(value, asset)
        to.balance(asset).receive(units, balance.give(units))
        return Done()

    def send_margin(self, account: Account, to: Account, value: Decimal) -> Done | Rejected:
        """Give `value` of the margin currency to another account; both deposits follow."""
        units = money_units("amount", value)
        if units <= 0 or units > self._venue.margin.withdrawable(account):
            return _not_enough(value, "margin")
        for party, signed in ((account, -units), (to, units)):
            party.cash += signed
            party.deposit += signed
        return Done()


def _state(asset: str, balance: Balance) -> BalanceState:
    return BalanceState(asset, amount(balance.total), amount(balance.held), amount(balance.cost))


def _not_enough(value: Decimal, asset: str) -> Rejected:
    return Rejected(RejectCode.INSUFFICIENT_BALANCE, f"{value} {asset}: more than 0 and what is free at most")
