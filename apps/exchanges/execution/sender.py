"""The sender of one account: claim -> begin -> gate -> sign and send -> apply, until there is nothing left.

At most one process sends for an account at a time; a second wake-up returns at once, because the holder looks once
more after it has given the lease back. Killed between any two lines it leaves rows that say how far it got:
APPROVED (claimed, never sent; the claim lapses), SENDING (perhaps sent; reconciliation asks) or answered.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
from dataclasses import dataclass

from apps.exchanges.execution.delivery import Delivery, LeaseLapsed
from apps.exchanges.execution.sessions import Session, Sessions, VenueSessions
from apps.exchanges.execution.timing import LEASE_SECONDS, lasting
from apps.exchanges.locks import lease_give_back
from apps.exchanges.models import Signer
from apps.exchanges.orders.claim import Claim, orders_claim
from apps.exchanges.orders.ending import unsent_end
from apps.exchanges.orders.wake import wake_accounts
from apps.exchanges.ports import ReportSource
from moondev.domain.clock import Clock, process_clock
from moondev.domain.errors import Configuration
from moondev.domain.orders import OrderStatus
from moondev.logs import log_context

logger = logging.getLogger(__name__)

# Batches one task delivers before it lets others have the worker; the rest gets a wake-up of its own.
ROUNDS = 100


def worker_name() -> str:
    """Return a name that no other thread of any process of any machine has."""
    return f"{socket.gethostname()}:{os.getpid()}:{threading.get_ident()}"[:100]


@dataclass(frozen=True, slots=True)
class Sender:
    """Sends for accounts, as one worker."""

    clock: Clock
    sessions: Sessions
    worker: str

    def send(self, account_id: int) -> int:
        """Deliver the account's work until there is none; return how many batches that took."""
        with log_context(account=str(account_id)):
            for done in range(ROUNDS):
                claim = self._claim(account_id)
                if claim is None:
                    return done
                if not self._deliver(claim):
                    return done + 1
            wake_accounts([account_id])
            return ROUNDS

    def _claim(self, account_id: int) -> Claim | None:
        lease = lasting(self.clock, LEASE_SECONDS).total_seconds()
        return orders_claim(account_id=account_id, worker=self.worker, lease_seconds=lease, now=self.clock.now())

    def _deliver(self, claim: Claim) -> bool:
        """Deliver one batch and give the lease back; return whether to look for more."""
        try:
            Delivery(claim, self._session(claim.account_id), self.clock).run()
        except LeaseLapsed as error:
            # Whoever holds the lease now goes on; what was claimed here and not begun lapses.
            logger.warning("account %s: %s", claim.account_id, error)
            return False
        except Configuration as error:
            # Nothing can be sent until a person mends it, who reads in the orders why.
            logger.exception("account %s cannot send", claim.account_id)
            self._end_unsent(claim, error)
            return False
        finally:
            lease_give_back(claim.account_id, claim.fence)
        return True

    def _end_unsent(self, claim: Claim, error: Configuration) -> None:
        """End what was claimed and has not begun to leave; the strategies plan again from what is."""
        unsent_end(
            "o.id = ANY(%s)",
            ([order.order_id for order in claim.orders],),
            status=OrderStatus.CANCELLED,
            reason=f"not sent: {error}",
            source=ReportSource.SEND,
            now=self.clock.now(),
        )

    def _session(self, account_id: int) -> Session:
        return self.sessions.session(account_id, Signer.Purpose.ORDERS)


def send(account_id: int) -> int:
    """Deliver an account's work with this process's clock and sessions; return how many batches that took."""
    return Sender(process_clock(), VenueSessions(), worker_name()).send(account_id)
