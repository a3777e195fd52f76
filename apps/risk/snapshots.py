"""Ask venues what accounts are worth, side by side, so that a slow venue hides no other."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait

from apps.exchanges.execution.sessions import Sessions
from apps.exchanges.models import Account, Signer
from apps.exchanges.venue_types import AccountSnapshot
from moondev.domain.errors import TradingError

logger = logging.getLogger(__name__)

THREADS = 8
# How long one round waits; an answer that comes later counts in a later round.
ROUND_SECONDS = 2.0


class Snapshots:
    """Keeps at most one question per account under way."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="snapshot")
        self._asked: dict[int, Future[AccountSnapshot]] = {}
        self._silent: set[int] = set()

    def take(self, accounts: Sequence[Account]) -> Mapping[int, AccountSnapshot]:
        """Return what the venues have answered by the end of this round, by account id.

        An account whose venue does not answer, or refuses, is missing: unknown, not zero.
        """
        for account in accounts:
            if account.pk not in self._asked:
                self._ask(account)
        wait(self._asked.values(), timeout=ROUND_SECONDS)
        answered = {pk: self._asked.pop(pk) for pk in list(self._asked) if self._asked[pk].done()}
        heard: dict[int, AccountSnapshot] = {}
        for account in accounts:
            future = answered.get(account.pk)
            snapshot = self._answer(account, future) if future else None
            if snapshot is not None:
                heard[account.pk] = snapshot
        return heard

    def close(self) -> None:
        """Stop asking; what is under way ends by its own time-out."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _ask(self, account: Account) -> None:
        """Look the key up here, where the database connection is; only the request runs in a thread."""
        try:
            client = self._sessions.session(account.pk, Signer.Purpose.DIRECT).client
        except TradingError as error:
            self._note(account, str(error))
            return
        self._asked[account.pk] = self._pool.submit(client.account_snapshot)

    def _answer(self, account: Account, future: Future[AccountSnapshot]) -> AccountSnapshot | None:
        try:
            snapshot = future.result()
        except Exception as error:  # noqa: BLE001  no surprise of one venue may end the watch over all others
            self._note(account, repr(error))
            return None
        if account.pk in self._silent:
            self._silent.discard(account.pk)
            logger.warning("account %s answers again", account.code)
        return snapshot

    def _note(self, account: Account, why: str) -> None:
        """Log the first of a row of failures only: this is asked every second."""
        if account.pk not in self._silent:
            self._silent.add(account.pk)
            logger.warning("account %s does not answer, its equity is unknown: %s", account.code, why)
