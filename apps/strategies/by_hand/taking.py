"""Take a position over from a strategy, and give it back. Meanwhile the strategy does not trade."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from apps.exchanges.accounts.assign import position_move
from apps.exchanges.models import Account, InstrumentRow, Position
from apps.strategies.by_hand.desks import owner_of
from apps.strategies.models import StrategyEvent, StrategyInstrument, StrategyRow
from apps.strategies.services import strategy_pause, strategy_resume
from moondev.domain.clock import Clock
from moondev.domain.errors import InvalidValue
from moondev.domain.portfolio import Holding

TAKEN = "taken over by "


def position_take(
    *, strategy: str, instrument: InstrumentRow, reason: str, actor: str, now: datetime, clock: Clock | None = None
) -> Holding:
    """Move a strategy's position to the desk of its account, with its stops; return what the desk holds then.

    The strategy is paused first, which takes its other orders out of the market: one that fills on its way out leaves
    a rest that can be taken over as well. Raises InvalidValue when it holds nothing there, or the desk the opposite.
    """
    if not reason.strip():
        raise InvalidValue("reason", reason, "a sentence that says why")
    row, account = _place(strategy, instrument)
    if not Position.objects.filter(account=account, instrument=instrument, strategy=strategy).exclude(quantity=0):
        raise InvalidValue("position", f"{strategy} in {instrument.key}", "one that holds something")
    if row.enabled and not row.paused_reason:
        strategy_pause(row.pk, reason=f"{TAKEN}{actor}: {reason}", actor=actor, now=now, clock=clock)
    with transaction.atomic():
        held = position_move(
            account_id=account.pk, instrument_id=instrument.pk, giver=strategy, taker=owner_of(account), actor=actor,
            now=now,
        )  # fmt: skip
        _event(strategy, now, f"by {actor}: {instrument.key} taken over: {reason}")
    return held


def position_return(*, strategy: str, instrument: InstrumentRow, reason: str, actor: str, now: datetime) -> Holding:
    """Move what the desk holds back to the strategy; return what that holds then.

    What taking over has paused trades again once the desk holds none of its instruments any more. Raises InvalidValue
    when the desk holds nothing there.
    """
    if not reason.strip():
        raise InvalidValue("reason", reason, "a sentence that says why")
    row, account = _place(strategy, instrument)
    with transaction.atomic():
        held = position_move(
            account_id=account.pk, instrument_id=instrument.pk, giver=owner_of(account), taker=strategy, actor=actor,
            now=now,
        )  # fmt: skip
        _event(strategy, now, f"by {actor}: {instrument.key} given back: {reason}")
    if row.paused_reason.startswith(TAKEN) and not _still_taken(row):
        strategy_resume(row.pk, actor=actor, now=now)
    return held


def _place(strategy: str, instrument: InstrumentRow) -> tuple[StrategyRow, Account]:
    row = StrategyRow.objects.filter(slug=strategy).first()
    if row is None:
        raise InvalidValue("strategy", strategy, "the name of a strategy")
    links = StrategyInstrument.objects.filter(strategy=row).select_related("account", "instrument").order_by("pk")
    by_key = {link.instrument.key: link.account for link in links}
    if instrument.key not in by_key:
        raise InvalidValue("instrument", instrument.key, ", ".join(by_key) or "one of its instruments; it has none")
    return row, by_key[instrument.key]


def _still_taken(row: StrategyRow) -> bool:
    links = StrategyInstrument.objects.filter(strategy=row).select_related("account")
    return any(
        Position.objects.filter(
            account=link.account, instrument=link.instrument_id, strategy=owner_of(link.account)
        ).exclude(quantity=0)
        for link in links
    )


def _event(strategy: str, now: datetime, message: str) -> None:
    StrategyEvent.objects.create(strategy=strategy, at=now, kind="position by hand", message=message)
