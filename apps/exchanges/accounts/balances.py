"""Equity marks: what the venue says an account is worth, beside what our ledger says."""

from __future__ import annotations

import logging
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from apps.exchanges.accounts.equity import Books, account_books
from apps.exchanges.accounts.facts import account_facts
from apps.exchanges.accounts.ledger import Ledger
from apps.exchanges.accounts.plausible import close_to
from apps.exchanges.execution.sessions import Sessions, VenueSessions
from apps.exchanges.execution.timing import lasting
from apps.exchanges.locks import lock_exposures, lock_reports, move_exposures, only_one
from apps.exchanges.models import UNASSIGNED, Account, AccountEvent, EquityMark, PositionMove, Signer, Transfer
from apps.exchanges.orders.events import Alarm, alarm_once, alarms_append
from apps.exchanges.orders.fill_rows import assets_by_symbol
from apps.exchanges.ports import AccountSnapshot
from moondev.domain.clock import Clock, process_clock
from moondev.domain.errors import InvalidValue, TradingError
from moondev.domain.values import ZERO

logger = logging.getLogger(__name__)

ADOPTION = "adoption"
# Ledger and venue may differ for so many real seconds: funding is noticed by the next full reconciliation.
PATIENCE_SECONDS = 90.0
# An account marked within so many real seconds, by the risk guard say, is not asked about again.
FRESH_SECONDS = 3.0
# For so many real seconds a mark is something to compare the next one with.
JUMP_SECONDS = 60.0


def equity_mark_venue(venue: str) -> list[EquityMark]:
    """Mark every enabled account of a venue that was not marked just now.

    One that cannot be asked is logged and has no mark, never a zero. Does nothing while another process is at it.
    """
    with only_one(f"equity/{venue}") as ours:
        return _mark_accounts(venue, VenueSessions(), process_clock()) if ours else []


def _mark_accounts(venue: str, sessions: Sessions, clock: Clock) -> list[EquityMark]:
    marks = []
    fresh = EquityMark.objects.filter(taken_at__gt=clock.now() - lasting(clock, FRESH_SECONDS)).values("account_id")
    accounts = Account.objects.filter(venue_id=venue, enabled=True).exclude(pk__in=fresh)
    for account_id in accounts.order_by("pk").values_list("pk", flat=True):
        try:
            snapshot = sessions.session(account_id, Signer.Purpose.ORDERS).client.account_snapshot()
        except TradingError as error:
            logger.warning("account %s not marked: %s", account_id, error)
            continue
        if _jumps(account_id, snapshot, clock):
            logger.warning("account %s not marked: its equity jumped to %s", account_id, snapshot.equity)
            continue
        marks.append(equity_mark(account_id, snapshot, clock.now()))
    return marks


def _jumps(account_id: int, snapshot: AccountSnapshot, clock: Clock) -> bool:
    """Return whether an equity is far from the last mark, while that is recent: the guard finds out what is true.

    One wrong answer written down would be the day's beginning, or a loss, to everybody who reads marks.
    """
    since = clock.now() - lasting(clock, JUMP_SECONDS)
    last = EquityMark.objects.filter(account_id=account_id, taken_at__gt=since).order_by("-taken_at").first()
    return last is not None and not close_to(last.venue_equity, snapshot.equity.value)


def equity_mark(account_id: int, snapshot: AccountSnapshot, now: datetime) -> EquityMark:
    """Write down one mark, and raise an alarm when ledger and venue have disagreed for a while.

    `ledger_equity` is None when the two hold different sizes: a fill is on its way, so there is nothing to compare.
    A moment's difference with equal sizes is funding on its way.
    """
    books = account_books(account_id)
    ours = books.equity(snapshot) if books.agrees_on_positions(snapshot) else None
    mark = EquityMark.objects.create(
        account_id=account_id,
        taken_at=now,
        venue_equity=snapshot.equity.value,
        ledger_equity=ours,
        unrealised=_unrealised(books, snapshot),
        margin_used=snapshot.margin_used.value,
    )
    if _differs_for_long(mark, now):
        message = f"ledger {mark.ledger_equity:f}, venue {mark.venue_equity:f}"
        alarm_once(account_id, Alarm(AccountEvent.Kind.EQUITY_DIFFERS, message), now)
    return mark


def account_adopt(account_id: int, snapshot: AccountSnapshot, now: datetime) -> Transfer:
    """Begin an account's books at what it is worth now. Twice is once.

    What it holds already goes to UNASSIGNED at the venue's value of this moment, and stops opening until assigned.
    Raises InvalidValue when the account has traded here before.
    """
    with transaction.atomic():
        lock_reports(account_id)
        known = Transfer.objects.filter(account_id=account_id, reference=ADOPTION).first()
        if known is not None:
            return known
        if account_books(account_id) != Books(ZERO, ZERO, ZERO, ZERO, ZERO, {}):
            raise InvalidValue("account", account_id, "an account without transfers or positions in our books")
        account = account_facts(account_id)
        assets, _ = assets_by_symbol(account, (position.symbol for position in snapshot.positions))
        ledger = Ledger(account, {})
        for position in snapshot.positions:
            ledger.adopt(UNASSIGNED, assets[position.symbol], position.quantity.value, position.value.value)
        changes = ledger.exposure_changes()
        lock_exposures(changes)
        ledger.write(now)
        move_exposures(changes)
        alarms_append(account_id, [_adopted(p.symbol, p.quantity.value) for p in snapshot.positions], now)
        PositionMove.objects.bulk_create(
            PositionMove(
                account_id=account_id, instrument_id=assets[p.symbol].instrument_id, taker=UNASSIGNED,
                quantity=p.quantity.value, cost=p.value.value, actor=ADOPTION, at=now,
            )
            for p in snapshot.positions
        )  # fmt: skip
        return Transfer.objects.create(account_id=account_id, amount=snapshot.equity.value, at=now, reference=ADOPTION)


def _adopted(symbol: str, quantity: Decimal) -> Alarm:
    return Alarm(AccountEvent.Kind.ADOPTED_POSITION, f"{quantity:f} {symbol} were there before us")


def _unrealised(books: Books, snapshot: AccountSnapshot) -> Decimal:
    value = sum((position.value.value for position in snapshot.positions), start=ZERO)
    return value - books.cost


def _differs_for_long(mark: EquityMark, now: datetime) -> bool:
    if not _differs(mark):
        return False
    patience = lasting(process_clock(), PATIENCE_SECONDS)
    recent = EquityMark.objects.filter(account_id=mark.account_id, taken_at__gte=now - 2 * patience, taken_at__lt=now)
    marks = list(recent.order_by("taken_at"))
    return bool(marks) and marks[0].taken_at <= now - patience and all(map(_differs, marks))


def _differs(mark: EquityMark) -> bool:
    return mark.ledger_equity is not None and mark.ledger_equity != mark.venue_equity
