"""Move a position from one owner to another: from nobody to a strategy, from a strategy to a person and back."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from apps.exchanges.accounts.facts import AccountFacts, account_facts
from apps.exchanges.accounts.ledger import Asset, Ledger
from apps.exchanges.bulk import fetch
from apps.exchanges.locks import lock_exposures, lock_reports, move_exposures
from apps.exchanges.models import UNASSIGNED, AccountEvent, InstrumentRow, PositionMove
from apps.exchanges.orders.events import Alarm, Step, alarms_append, steps_append
from moondev.domain.errors import InvalidValue
from moondev.domain.orders import NON_FINAL, Purpose
from moondev.domain.portfolio import Holding


def position_assign(*, account_id: int, instrument_id: int, strategy: str, actor: str, now: datetime) -> Holding:
    """Move what UNASSIGNED holds of an instrument to `strategy`, at its cost; return what that holds then.

    Profit already realised, fees and funding stay with UNASSIGNED. Raises InvalidValue when there is nothing to move
    or the strategy holds the opposite, which would close a position without a trade.
    """
    return position_move(
        account_id=account_id, instrument_id=instrument_id, giver=UNASSIGNED, taker=strategy, actor=actor, now=now
    )


def position_move(*, account_id: int, instrument_id: int, giver: str, taker: str, actor: str, now: datetime) -> Holding:
    """Move what `giver` holds of an instrument to `taker`, at its cost, with its stops and take-profits.

    Profit already realised, fees and funding stay where they are. Raises as `position_assign` does.
    """
    with transaction.atomic():
        lock_reports(account_id)
        account = account_facts(account_id)
        instrument = InstrumentRow.objects.get(pk=instrument_id)
        asset = Asset(instrument.pk, instrument.asset)
        ledger = Ledger.opened(account, [asset.instrument_id])
        moving, own = ledger.holding(giver, asset), ledger.holding(taker, asset)
        if not moving.quantity or taker == giver:
            raise InvalidValue("strategy", taker, f"an owner for a position of {giver} in {instrument.key}")
        if own.quantity * moving.quantity < 0:
            raise InvalidValue("strategy", taker, f"an owner that does not hold the opposite of {instrument.key}")
        ledger.adopt(giver, asset, -moving.quantity, -moving.cost)
        ledger.adopt(taker, asset, moving.quantity, moving.cost)
        changes = ledger.exposure_changes()
        lock_exposures(changes)
        _move_protection(account, asset, giver, taker, now)
        ledger.write(now)
        move_exposures(changes)
        whose = "" if giver == UNASSIGNED else f" of {giver}"
        message = f"{moving.quantity:f} {instrument.key}{whose} assigned to {taker} by {actor}"
        alarms_append(account_id, [Alarm(AccountEvent.Kind.ADOPTED_POSITION, message)], now)
        PositionMove.objects.create(
            account_id=account_id, instrument=instrument, giver=giver, taker=taker, quantity=moving.quantity,
            cost=moving.cost, actor=actor, at=now,
        )  # fmt: skip
        return ledger.holding(taker, asset)


def _move_protection(account: AccountFacts, asset: Asset, giver: str, taker: str, now: datetime) -> None:
    """Give what protects the position to its new owner: what it fills must close that one's position."""
    moved = fetch(
        "UPDATE exchanges_order SET strategy = %s, updated_at = %s WHERE account_id = %s AND instrument_id = %s"
        " AND strategy = %s AND purpose = %s AND status = ANY(%s) RETURNING id, status",
        (
            taker, now, account.account_id, asset.instrument_id, giver, Purpose.PROTECTIVE.value,
            [status.value for status in NON_FINAL],
        ),
    )  # fmt: skip
    steps_append(
        [Step(order_id, "hand", status, status, f"from {giver} to {taker}") for order_id, status in moved], now
    )
