"""Open an account's books, and book the money that people move in and out of it.

Venue equity that changes without a trade looks like profit or loss until the transfer is booked here.
"""

from __future__ import annotations

import logging
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.db.models import Min

from apps.exchanges.accounts.balances import ADOPTION, account_adopt
from apps.exchanges.accounts.equity import Books, account_books
from apps.exchanges.execution.sessions import Sessions, VenueSessions
from apps.exchanges.locks import lock_reports
from apps.exchanges.models import Account, Fill, Signer, Transfer
from moondev.domain.errors import InvalidValue
from moondev.domain.values import ZERO, finite_decimal

logger = logging.getLogger(__name__)

# What an amount column holds: 18 digits before the point, twelve behind it.
_LARGEST = Decimal(10) ** 18
_PLACES = 12
_REFERENCE_CHARACTERS = 100
_EMPTY = Books(ZERO, ZERO, ZERO, ZERO, ZERO, {})


def account_by_code(code: str) -> Account:
    """Return an account. Raises InvalidValue naming those there are."""
    account = Account.objects.filter(code=code).first()
    if account is None:
        known = ", ".join(Account.objects.order_by("code").values_list("code", flat=True))
        raise InvalidValue("account", code, known or "there is none yet")
    return account


def account_adopt_from_venue(
    account_id: int, *, actor: str, now: datetime, sessions: Sessions | None = None
) -> Transfer:
    """Ask the venue what an account is worth and begin its books there. Twice is once.

    `sessions` None means with this process's keys. Raises Configuration without the account's ORDERS key, Connectivity
    when the venue does not answer, and InvalidValue as `account_adopt` does.
    """
    session = (sessions or VenueSessions()).session(account_id, Signer.Purpose.ORDERS)
    snapshot = session.client.account_snapshot()
    # The venue's own time, if it says it: what it booked before is in the snapshot, what comes after is not.
    opening = account_adopt(account_id, snapshot, snapshot.time_exchange or now)
    logger.warning("account %s adopted with %s by %s", session.account.code, f"{opening.amount:f}", actor)
    return opening


def transfer_book(*, account_id: int, amount: Decimal, reference: str, actor: str, now: datetime) -> Transfer:
    """Book money that came into an account (positive) or left it (negative), in its currency.

    It may be booked before the venue shows it or after. The same reference and amount again is the same transfer.
    Raises InvalidValue for what `require_bookable` refuses.
    """
    with transaction.atomic():
        lock_reports(account_id)
        require_bookable(account_id=account_id, amount=amount, reference=reference)
        booked, new = Transfer.objects.get_or_create(
            account_id=account_id,
            reference=reference,
            defaults={"amount": amount, "at": _moment(account_id, now)},
        )
    if new:
        logger.warning("account %s: transfer of %s (%s) booked by %s", account_id, f"{amount:f}", reference, actor)
    return booked


def require_bookable(*, account_id: int, amount: Decimal, reference: str) -> None:
    """Raise InvalidValue unless this may be booked.

    Refused are an amount that is zero or not exact to twelve places, a reference that is empty, reserved or stands
    for another amount, and an account whose books have not begun: what it holds already would be missing from them.
    The first transfer of an account that traded before it had one is what it began with, so nothing can go out yet.
    """
    exact = finite_decimal("amount", amount)
    exponent = exact.normalize().as_tuple().exponent
    if not exact or abs(exact) >= _LARGEST or (isinstance(exponent, int) and -exponent > _PLACES):
        raise InvalidValue("amount", amount, "an amount other than zero, below 1e18, with up to twelve places")
    if not reference.strip() or len(reference) > _REFERENCE_CHARACTERS or reference == ADOPTION:
        raise InvalidValue("reference", reference, f"1 to {_REFERENCE_CHARACTERS} characters, not {ADOPTION!r}")
    transfers = Transfer.objects.filter(account_id=account_id)
    booked = transfers.filter(reference=reference).first()
    if booked is not None and booked.amount != exact:
        raise InvalidValue("reference", reference, f"a new one; this one stands for {booked.amount:f}")
    if not transfers.exists() and (exact < 0 or account_books(account_id) == _EMPTY):
        allowed = "an account whose books have begun; adopt it first, or book what it began with if it has traded here"
        raise InvalidValue("account", account_id, allowed)


def _moment(account_id: int, now: datetime) -> datetime:
    """Return when to book. An account's first transfer begins its books, and no fill in them may lie before that."""
    if Transfer.objects.filter(account_id=account_id).exists():
        return now
    first: datetime | None = Fill.objects.filter(account_id=account_id).aggregate(at=Min("time_exchange"))["at"]
    return now if first is None else min(first, now)
