"""Give a position that nobody owns to a strategy, so that the account may open again."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from apps.exchanges.accounts.facts import account_facts
from apps.exchanges.accounts.ledger import Asset, Ledger
from apps.exchanges.locks import lock_exposures, lock_reports, move_exposures
from apps.exchanges.models import UNASSIGNED, AccountEvent, InstrumentRow
from apps.exchanges.orders.events import Alarm, alarms_append
from moondev.domain.errors import InvalidValue
from moondev.domain.portfolio import Holding


def position_assign(*, account_id: int, instrument_id: int, strategy: str, actor: str, now: datetime) -> Holding:
    """Move what UNASSIGNED holds of an instrument to `strategy`, at its cost; return what that holds then.

    Profit already realised, fees and funding stay with UNASSIGNED. Raises InvalidValue when there is nothing to move
    or the strategy holds the opposite, which would close a position without a trade.
    """
    with transaction.atomic():
        lock_reports(account_id)
        account = account_facts(account_id)
        instrument = InstrumentRow.objects.get(pk=instrument_id)
        asset = Asset(instrument.pk, instrument.asset)
        ledger = Ledger.opened(account, [asset.instrument_id])
        moving, own = ledger.holding(UNASSIGNED, asset), ledger.holding(strategy, asset)
        if not moving.quantity or strategy == UNASSIGNED:
            raise InvalidValue("strategy", strategy, f"an owner for a position of UNASSIGNED in {instrument.key}")
        if own.quantity * moving.quantity < 0:
            raise InvalidValue("strategy", strategy, f"an owner that does not hold the opposite of {instrument.key}")
        ledger.adopt(UNASSIGNED, asset, -moving.quantity, -moving.cost)
        ledger.adopt(strategy, asset, moving.quantity, moving.cost)
        changes = ledger.exposure_changes()
        lock_exposures(changes)
        ledger.write(now)
        move_exposures(changes)
        message = f"{moving.quantity:f} {instrument.key} assigned to {strategy} by {actor}"
        alarms_append(account_id, [Alarm(AccountEvent.Kind.ADOPTED_POSITION, message)], now)
        return ledger.holding(strategy, asset)
