"""Short order numbers in the database: drawn from an account's own sequence, committed before they are used.

The sequence starts at the second of its first use, so that a database that is made anew goes on above the numbers of
the one before it, as long as that drew less than one a second on average.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar
from uuid import UUID

from django.db import InterfaceError, OperationalError, close_old_connections, transaction

from apps.exchanges.bulk import fetch, values_run
from apps.exchanges.models.short_ids import LARGEST
from apps.exchanges.registry import capabilities
from moondev.domain.clock import process_clock
from moondev.domain.errors import Configuration

logger = logging.getLogger(__name__)

T = TypeVar("T")
_WHOLE_ID_BITS = 128
_LOOK_UP_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class AccountShortIds:
    """The numbers of one account's orders. See `ShortIds`."""

    account_id: int

    def numbers(self, client_order_ids: Sequence[UUID]) -> Mapping[UUID, int]:
        """Return the number of each id, drawing new ones where there are none. Commits them.

        Raises Configuration when the account has used up its numbers, RuntimeError inside a transaction: a number that
        is rolled back after it was sent names an order that nobody can find.
        """
        with transaction.atomic(durable=True):
            known = self.known(client_order_ids)
            fresh = [client_id for client_id in dict.fromkeys(client_order_ids) if client_id not in known]
            if not fresh:
                return known
            last = self._draw(len(fresh))
            drawn = range(last - len(fresh) + 1, last + 1)
            values_run(
                "INSERT INTO exchanges_shortid (account_id, number, client_order_id) VALUES %s"
                " ON CONFLICT (account_id, client_order_id) DO NOTHING",
                [(self.account_id, number, str(name)) for number, name in zip(drawn, fresh, strict=True)],
                "(%s, %s, %s::uuid)",
            )
            # Whoever drew for the same id in the same moment was first; both of us take that number.
            return self.known(client_order_ids)

    def known(self, client_order_ids: Sequence[UUID]) -> Mapping[UUID, int]:
        """Return the numbers that were drawn before."""
        rows = fetch(
            "SELECT client_order_id, number FROM exchanges_shortid"
            " WHERE account_id = %s AND client_order_id = ANY(%s::uuid[])",
            (self.account_id, [str(client_id) for client_id in client_order_ids]),
        )
        return dict(rows)

    def ids(self, numbers: Sequence[int]) -> Mapping[int, UUID]:
        """Return whose numbers these are.

        On an event loop the question is asked in another thread. Without an answer they are then nobody's: a stream
        must not end for want of the database, and its orders are known by the venue's ids as well.
        """
        if not _on_a_loop():
            return self._look_up(numbers)
        try:
            return _elsewhere(lambda: self._look_up(numbers))
        except (OperationalError, InterfaceError, TimeoutError) as error:
            logger.warning(
                "account %s: whose %d order numbers are is not known: %s", self.account_id, len(numbers), error
            )
            return {}

    def _look_up(self, numbers: Sequence[int]) -> Mapping[int, UUID]:
        rows = fetch(
            "SELECT number, client_order_id FROM exchanges_shortid WHERE account_id = %s AND number = ANY(%s)",
            (self.account_id, list(numbers)),
        )
        return dict(rows)

    def _draw(self, count: int) -> int:
        """Take `count` numbers that nobody else will ever get; return the last of them."""
        start = int(process_clock().now().timestamp())
        ((last,),) = fetch(
            "INSERT INTO exchanges_shortidsequence (account_id, last) VALUES (%s, %s) ON CONFLICT (account_id)"
            " DO UPDATE SET last = LEAST(exchanges_shortidsequence.last + %s, %s) RETURNING last",
            (self.account_id, start + count, count, LARGEST),
        )
        if last >= LARGEST:
            raise Configuration(
                f"account {self.account_id} has used up its {LARGEST} order numbers; open another account"
            )
        return int(last)


def short_ids_of(account_id: int, protocol: str) -> AccountShortIds | None:
    """Return the numbers of an account at a venue that keeps no whole id; None where it keeps one."""
    return AccountShortIds(account_id) if capabilities(protocol).client_id_bits < _WHOLE_ID_BITS else None


def _on_a_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _elsewhere(question: Callable[[], T]) -> T:
    """Return the answer of a thread that may use the database. Raises TimeoutError when it takes too long."""
    return _thread().submit(_with_a_connection, question).result(_LOOK_UP_SECONDS)


def _with_a_connection(question: Callable[[], T]) -> T:
    close_old_connections()
    return question()


@lru_cache(maxsize=1)
def _thread() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="order numbers")
