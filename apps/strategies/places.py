"""On which account each of a strategy's instruments is traded: its own, or one abroad at another venue.

All of them count against one portfolio in one currency: USDT, USDC and USD are different money, and what is made in
one of them cannot be added to what is lost in another.
"""

from __future__ import annotations

from collections.abc import Sequence

from apps.exchanges.models import Account, InstrumentRow
from apps.strategies.models import StrategyInstrument, StrategyRow
from moondev.domain.errors import InvalidValue


def places(
    home: Account, abroad: Sequence[Account], instruments: Sequence[InstrumentRow]
) -> list[tuple[InstrumentRow, Account]]:
    """Return each instrument with the account of its venue.

    Raises InvalidValue when there is no instrument, a venue has two accounts or none, or an account abroad is
    disabled, of another portfolio, of another currency or not needed.
    """
    if not instruments:
        raise InvalidValue("instruments", "none", "at least one instrument")
    by_venue = {home.venue_id: home}
    for account in abroad:
        _fits_beside(home, account)
        if account.venue_id in by_venue:
            raise InvalidValue("account", account.code, f"one account at {account.venue_id}")
        by_venue[account.venue_id] = account
    placed = [(instrument, by_venue.get(instrument.venue_id, home)) for instrument in instruments]
    for instrument, account in placed:
        instruments_fit(account, [instrument])
    idle = [account.code for account in abroad if account not in {account for _, account in placed}]
    if idle:
        raise InvalidValue("account", ", ".join(idle), "an account that one of the instruments is traded on")
    return placed


def abroad_of(row: StrategyRow) -> list[Account]:
    """Return the accounts abroad on which the strategy trades instruments of its own."""
    links = StrategyInstrument.objects.filter(strategy=row, stands_in_for=None)
    accounts = Account.objects.filter(pk__in=links.values("account")).exclude(venue=row.account.venue_id)
    return list(accounts.order_by("pk"))


def instruments_fit(account: Account, instruments: Sequence[InstrumentRow]) -> None:
    """Raise InvalidValue unless every instrument is listed at the account's venue and quoted in its currency."""
    if not instruments:
        raise InvalidValue("instruments", "none", "at least one instrument")
    for instrument in instruments:
        if instrument.venue_id != account.venue_id:
            raise InvalidValue("instrument", instrument.key, f"an instrument of {account.venue_id}, as the account")
        if instrument.quote != account.currency:
            raise InvalidValue("instrument", instrument.key, f"an instrument quoted in {account.currency}")
        if not instrument.active:
            raise InvalidValue("instrument", instrument.key, "an instrument that is listed")


def _fits_beside(home: Account, account: Account) -> None:
    if account.portfolio_id != home.portfolio_id or not account.enabled:
        raise InvalidValue("account", account.code, f"an enabled account of portfolio {home.portfolio_id}")
    if account.currency != home.currency:
        allowed = f"an account that counts in {home.currency}, as {home.code}; other money is not converted"
        raise InvalidValue("account", f"{account.code} ({account.currency})", allowed)
