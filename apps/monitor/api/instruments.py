"""Find what requests name."""

from __future__ import annotations

from django.db.models import Q

from apps.exchanges.models import Account, InstrumentRow
from moondev.domain.errors import InvalidValue


def instrument_named(key: str) -> InstrumentRow:
    """Return an instrument by its key. Raises InvalidValue."""
    row = InstrumentRow.objects.filter(of_instrument(key)).first()
    if row is None:
        raise InvalidValue("instrument", key, "a key such as hyperliquid:BTC")
    return row


def of_instrument(key: str, prefix: str = "") -> Q:
    """Return the condition that something is about an instrument, named by its key."""
    venue, _, symbol = key.partition(":")
    return Q(**{f"{prefix}venue": venue, f"{prefix}symbol": symbol})


def account_named(code: str) -> Account:
    """Return an account by its code. Raises InvalidValue."""
    row = Account.objects.select_related("venue").filter(code=code).first()
    if row is None:
        raise InvalidValue("account", code, "the code of an account")
    return row
