"""Ask venues what accounts are worth, side by side, so that a slow venue hides no other."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait

from apps.exchanges.execution.sessions import Sessions
from apps.exchanges.models import Account, Signer
from apps.exchanges.venue_types import AccountSnapshot
from moondev.domain.clock import monotonic
from moondev.domain.errors import RateLimited, TradingError

logger = logging.getLogger(__name__)

THREADS = 8
# How long one round waits; an answer that comes later counts in a later round.
ROUND_SECONDS = 2.0
# What one venue is asked per second at most: its accounts take turns, or many would spend what trading needs.
QUESTIONS_PER_SECOND = 2.0
# An answer stands for so long while its account waits for its turn, or for room in the venue's budget.
LATELY_SECONDS = 10.0


class Snapshots:
    """Keeps at most one question per account under way."""

    def __init__(
        self, sessions: Sessions, timer: Callable[[], float] = monotonic, round_seconds: float = ROUND_SECONDS
    ) -> None:
        """Count turns by `timer`; a round waits so many real seconds for answers."""
        self._sessions, self._timer, self._round_seconds = sessions, timer, round_seconds
        self._not_before: dict[int, float] = {}
        self._newest: dict[int, tuple[AccountSnapshot, float]] = {}
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="snapshot")
        self._asked: dict[int, Future[AccountSnapshot]] = {}
        self._silent: set[int] = set()

    def take(self, accounts: Sequence[Account], only: Collection[int] | None = None) -> Mapping[int, AccountSnapshot]:
        """Return what the venues have answered by the end of this round, by account id.

        An account whose venue does not answer, or refuses, is missing: unknown, not zero. One whose turn has not come
        is what it was a moment ago. With `only`, nobody else is asked or waited for.
        """
        now = self._timer()
        beside = Counter(account.venue_id for account in accounts)
        for account in accounts:
            if only is not None and account.pk not in only:
                continue
            if account.pk not in self._asked and now >= self._not_before.get(account.pk, now):
                # A little less than the turn, so that a pass that begins early does not miss it.
                self._not_before[account.pk] = now + 0.9 * beside[account.venue_id] / QUESTIONS_PER_SECOND
                self._ask(account)
        waited = [future for pk, future in self._asked.items() if only is None or pk in only]
        wait(waited, timeout=self._round_seconds)
        answered = {pk: self._asked.pop(pk) for pk in list(self._asked) if self._asked[pk].done()}
        heard: dict[int, AccountSnapshot] = {}
        for account in accounts:
            future = answered.get(account.pk)
            snapshot = self._answer(account, future) if future else self._lately(account, now)
            if snapshot is not None:
                heard[account.pk] = snapshot
        return heard

    def _lately(self, account: Account, now: float) -> AccountSnapshot | None:
        """Return the last answer of an account that was not asked this time, while it is not old."""
        snapshot, at = self._newest.get(account.pk, (None, now))
        waits_for_its_turn = account.pk not in self._asked and account.pk not in self._silent
        return snapshot if waits_for_its_turn and now - at <= LATELY_SECONDS else None

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
        except RateLimited as error:
            # No word about the venue: there was no room for the question.
            now = self._timer()
            self._not_before[account.pk] = now + error.retry_after_seconds
            return self._lately(account, now)
        except Exception as error:  # noqa: BLE001  no surprise of one venue may end the watch over all others
            self._note(account, repr(error))
            return None
        self._newest[account.pk] = (snapshot, self._timer())
        if account.pk in self._silent:
            self._silent.discard(account.pk)
            logger.warning("account %s answers again", account.code)
        return snapshot

    def _note(self, account: Account, why: str) -> None:
        """Log the first of a row of failures only: this is asked every second."""
        if account.pk not in self._silent:
            self._silent.add(account.pk)
            logger.warning("account %s does not answer, its equity is unknown: %s", account.code, why)
