"""How often anybody may ask, counted in Redis for all instances of the web process together.

To ask Redis costs as much as half a read does. So a process counts a few requests of somebody at once, before they are
made, and lets them in without asking: nobody is ever let in uncounted, and what is not used in a moment is lost.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache

from django.conf import settings
from limits import RateLimitItem, parse
from limits.errors import StorageError
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from apps.monitor.access.aside import SetAside
from moondev.domain.clock import LiveClock

logger = logging.getLogger(__name__)
PATIENCE_SECONDS = 1.0
# So much of a rate is counted at once, and used within so much of its time; small rates are counted one by one.
SHARE, MOST_AT_ONCE, LONGEST_SECONDS = 10, 20, 1.0


@dataclass(frozen=True, slots=True)
class Refusal:
    """What was asked too often, and in how many seconds it may be asked again."""

    rate: str
    retry_after_seconds: int


class Rates:
    """Counts what is asked. While Redis does not answer each process counts for itself: operators must get through."""

    def __init__(self, shared: RedisStorage, own: MemoryStorage) -> None:
        self._shared = SlidingWindowCounterRateLimiter(shared)
        self._own = SlidingWindowCounterRateLimiter(own)
        self._aside = SetAside()

    def hit(self, rate: str, *who: str) -> Refusal | None:
        """Count one question of `who`; return a refusal when there were as many as `rate` (such as 50/second) lets."""
        item = _item(rate)
        try:
            return None if self._shared.hit(item, *who) else _refusal(self._shared, item, rate, who)
        except StorageError as error:
            logger.warning("rates are counted by each process for itself: %s", error)
            return None if self._own.hit(item, *who) else _refusal(self._own, item, rate, who)

    def take(self, rate: str, *who: str) -> Refusal | None:
        """Do as `hit`, and count a few of the next ones as well if there is room for them."""
        if self._aside.take([(rate, who)]):
            return None
        return None if self._count_ahead(rate, who) else self.hit(rate, *who)

    def _count_ahead(self, rate: str, who: tuple[str, ...]) -> bool:
        """Count this request and a few of the next ones; return whether that was done."""
        item, name = _item(rate), (rate, who)
        share, period = item.amount // SHARE, float(item.get_expiry())
        few = min(share, MOST_AT_ONCE)
        # Somebody who asks now and then leaves most of them: no more than a share of the rate is lost that way.
        if few < 2 or not self._aside.claim(name, few, share + 1, period):
            return False
        counted = False
        # `hit` says that Redis is away, and counts here.
        with suppress(StorageError):
            counted = self._shared.hit(item, *who, cost=few)
        if counted:
            self._aside.put(name, few - 1, min(period / SHARE, LONGEST_SECONDS))
        else:
            self._aside.drop(name)
        return counted

    def take_counted(self, *rates: tuple[str, tuple[str, ...]]) -> bool:
        """Return whether a request was counted before under each rate, and take it from there; asks nobody."""
        return self._aside.take(rates)

    def spent(self, rate: str, *who: str) -> Refusal | None:
        """Return a refusal when `who` has nothing left, without counting."""
        item = _item(rate)
        try:
            return None if self._shared.test(item, *who) else _refusal(self._shared, item, rate, who)
        except StorageError:
            return None if self._own.test(item, *who) else _refusal(self._own, item, rate, who)


@lru_cache(maxsize=1)
def api_rates() -> Rates:
    """Return this process's counter."""
    shared = RedisStorage(
        settings.REDIS_URL,
        key_prefix=f"{settings.MOONDEV_QUEUE_PREFIX}api-rates",
        wrap_exceptions=True,
        socket_timeout=PATIENCE_SECONDS,
        socket_connect_timeout=PATIENCE_SECONDS,
    )
    return Rates(shared, MemoryStorage())


@lru_cache(maxsize=16)
def _item(rate: str) -> RateLimitItem:
    return parse(rate)


def _refusal(limiter: SlidingWindowCounterRateLimiter, item: RateLimitItem, rate: str, who: tuple[str, ...]) -> Refusal:
    # The library's reset is a moment of the machine's clock.
    wait = limiter.get_window_stats(item, *who).reset_time - LiveClock().now().timestamp()
    return Refusal(rate, max(1, round(wait)))
