"""Tasks of this floor: three lines each. The work is a row; a message that comes twice finds it done."""

from __future__ import annotations

from celery import shared_task

from apps.exchanges.accounts import balances, retention
from apps.exchanges.execution import halt, sender
from apps.exchanges.orders import reconcile
from moondev.celery import TradingTask
from moondev.domain.clock import process_clock


@shared_task(base=TradingTask, name="exchanges.orders_send")
def orders_send(account_id: int, venue: str) -> None:  # noqa: ARG001  the venue chose the queue
    """Send what waits for one account."""
    sender.send(account_id)


@shared_task(base=TradingTask, name="exchanges.orders_veto")
def orders_veto(venue: str) -> None:
    """Carry out the halts that wait at one venue."""
    halt.carry_out(venue)


@shared_task(base=TradingTask, name="exchanges.orders_reconcile")
def orders_reconcile(venue: str) -> None:
    """Ask one venue what became of everything we are not sure of."""
    reconcile.reconcile_venue(venue)


@shared_task(base=TradingTask, name="exchanges.equity_mark")
def equity_mark(venue: str) -> None:
    """Write down what the venue says its accounts are worth, beside what the ledger says."""
    balances.equity_mark_venue(venue)
    retention.marks_thin(venue, process_clock().now())


@shared_task(base=TradingTask, name="exchanges.history_keep")
def history_keep() -> str:
    """Move, join and delete kept market data as its policies say."""
    # Here, because what reads and writes columns takes 70 MB that workers of other tasks can do without.
    from apps.exchanges.market_data.history.retention import keep_configured_house  # noqa: PLC0415

    return str(keep_configured_house(process_clock().now()))
