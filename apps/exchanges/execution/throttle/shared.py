"""A venue's budgets as one account and signer sees them, shared with every process of every machine through Redis.

A spend is one trip and one script, whatever it costs: about 0.1 ms, a twentieth of the request it allows. When Redis
is away, nothing that can wait is sent: `alone.py` says what may.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

import redis
from django.conf import settings

from apps.exchanges.execution.throttle.alone import REDIS_REST_SECONDS, Alone, process_shares
from apps.exchanges.execution.throttle.purse import MICROSECONDS, Purse, Spender, signer_name
from apps.exchanges.execution.throttle.script import Answer, BudgetScript
from apps.exchanges.throttling import Budget, EarnedBudget, Lane, Scope, Throttle, Unlimited
from moondev.domain.clock import monotonic, process_clock
from moondev.domain.errors import RateLimited

logger = logging.getLogger(__name__)

# A figure of the venue's that is no more than ours was so recently is no news, and not worth a trip.
FRESH_SECONDS = 0.5
# No spend waits longer for Redis than this, real seconds.
REDIS_TIMEOUT_SECONDS = 0.25


class SharedThrottle:
    """Keeps the promises of `Throttle` for one spender."""

    def __init__(self, client: redis.Redis, purse: Purse, alone: Alone) -> None:
        """Take a client with short time-outs; `alone` is shared by all throttles of the process."""
        self._script, self._purse, self._alone = BudgetScript(client), purse, alone
        self._totals: dict[str, tuple[int, float]] = {}

    def spend(self, cost: Mapping[str, int], lane: Lane = Lane.ORDINARY) -> None:
        """Take `cost`, all or nothing. Raises RateLimited and InvalidValue as `Throttle` says."""
        self._purse.require(cost, lane)
        self._require_no_rest()
        self._settle_owed()
        answer = self._run("spend", cost, lane)
        if answer is None:
            self._spend_alone(cost, lane)
        elif answer[0] != 1:
            raise self._refusal(cost, lane, answer)
        else:
            self._note(cost, answer)

    def charge(self, cost: Mapping[str, int]) -> None:
        """Take what an answer has cost beyond its question."""
        if any(cost.values()):
            self._purse.require(dict.fromkeys(cost, 0), Lane.RESERVED)
            answer = self._run("charge", cost, Lane.RESERVED)
            if answer is None:
                self._alone.owe(self._purse, cost)
            self._note(cost, answer)

    def heard(self, used: Mapping[str, int]) -> None:
        """Follow the venue where it counts more than we do."""
        self._purse.require(dict.fromkeys(used, 0), Lane.RESERVED)
        news = {name: units for name, units in used.items() if units >= 0 and not self._known(name, units)}
        if news:
            self._note(news, self._run("heard", news, Lane.RESERVED))

    def granted(self, name: str, units: int) -> None:
        """Take the venue's word on how large an earned budget has become."""
        self._purse.require({name: 0}, Lane.RESERVED)
        if isinstance(self._purse.budgets[name], EarnedBudget):
            self._run("granted", {name: units}, Lane.RESERVED)

    def rest(self, seconds: float, reason: str) -> None:
        """Leave the venue alone, everybody who shares our internet address."""
        key = self._purse.spender.rest_key
        self._alone.rest(key, seconds)
        logger.warning("%s: leaving it alone for %.1f s or more: %s", self._purse.spender.venue, seconds, reason)
        answer = self._ask("rest", [key], [round(max(0.0, seconds) * MICROSECONDS), reason[:200]])
        if answer is not None:
            self._alone.rest(key, int(answer[1]) / MICROSECONDS)

    def used(self) -> dict[str, int]:
        """Return what counts as spent of each budget now; nothing while Redis is away."""
        nothing = dict.fromkeys(self._purse.budgets, 0)
        answer = self._run("charge", nothing, Lane.RESERVED) if nothing else None
        return {} if answer is None else {name: int(used) for name, used in zip(nothing, answer[1:], strict=True)}

    def look(self) -> dict[str, tuple[int, int]]:
        """Return what is spent of each budget and how large it is now, writing nothing; nothing while Redis is away."""
        nothing = dict.fromkeys(self._purse.budgets, 0)
        answer = self._run("look", nothing, Lane.RESERVED) if nothing else None
        if answer is None:
            return {}
        figures = [int(figure) for figure in answer[1:]]
        return dict(zip(nothing, zip(figures[::2], figures[1::2], strict=True), strict=True))

    def _require_no_rest(self) -> None:
        left = self._alone.resting(self._purse.spender.rest_key)
        if left > 0:
            raise RateLimited(f"{self._purse.spender.venue} wants to be left alone for {left:.2f} s more", left)

    def _settle_owed(self) -> None:
        """Tell Redis, back again, what was spent without it."""
        owed = self._alone.take_owed(self._purse) if not self._alone.redis_is_away else {}
        if owed:
            self._run("charge", owed, Lane.RESERVED)

    def _spend_alone(self, cost: Mapping[str, int], lane: Lane) -> None:
        venue = self._purse.spender.venue
        if lane is Lane.ORDINARY:
            raise RateLimited(f"{venue}: Redis is away, nobody knows what is left of its budgets", REDIS_REST_SECONDS)
        short = self._alone.spend(self._purse, cost)
        if short is not None:
            text = f"{venue}: Redis is away and this process's share of {short} is used up"
            raise RateLimited(text, REDIS_REST_SECONDS)

    def _refusal(self, cost: Mapping[str, int], lane: Lane, answer: Answer) -> RateLimited:
        venue, index, wait = self._purse.spender.venue, int(answer[1]), int(answer[2]) / MICROSECONDS
        if index == 0:
            self._alone.rest(self._purse.spender.rest_key, wait)
            reason = answer[3].decode() if isinstance(answer[3], bytes) else answer[3]
            return RateLimited(f"{venue} wants to be left alone for {wait:.2f} s more: {reason}", wait)
        name, units = list(cost.items())[index - 1]
        return RateLimited(f"{venue}: {units} of {name} do not fit in the {lane} lane; in {wait:.2f} s they may", wait)

    def _note(self, cost: Mapping[str, int], answer: Answer | None) -> None:
        if answer is not None:
            now = monotonic()
            self._totals |= {name: (int(total), now) for name, total in zip(cost, answer[1:], strict=True)}

    def _known(self, name: str, units: int) -> bool:
        total, at = self._totals.get(name, (-1, 0.0))
        fresh = monotonic() - at < FRESH_SECONDS
        return fresh and (units == total if isinstance(self._purse.budgets[name], EarnedBudget) else units <= total)

    def _run(self, verb: str, cost: Mapping[str, int], lane: Lane) -> Answer | None:
        keys = [self._purse.spender.rest_key, *(self._purse.keys[name] for name in cost)]
        figures = [number for name, units in cost.items() for number in self._purse.figures(name, units, lane)]
        return self._ask(verb, keys, figures)

    def _ask(self, verb: str, keys: list[str], arguments: Sequence[int | str]) -> Answer | None:
        """Return the script's answer; None while Redis is away, which is found out once a second at most."""
        if self._alone.redis_is_away:
            return None
        try:
            return self._script.run(verb, keys, arguments)
        except redis.RedisError as error:
            self._alone.redis_failed()
            logger.warning("the budgets of %s: Redis is away: %s", self._purse.spender.venue, error)
            return None


def throttle_for(
    venue: str, budgets: Iterable[Budget | EarnedBudget], account: str = "", signer_key: str = ""
) -> Throttle:
    """Return the throttle of an account and signer at a venue, or of nobody in particular for public reads.

    All machines that name the same MOONDEV_EGRESS share what a venue allows one internet address.
    """
    if settings.MOONDEV_RATE_LIMITS == "off":
        return Unlimited()
    return _shared(venue, budgets, account, signer_key)


def spent_of(venue: str, budgets: Iterable[Budget | EarnedBudget], account: str = "") -> dict[str, int]:
    """Return what counts as spent of the budgets of our internet address, or of an account, at a venue now."""
    scope = Scope.ACCOUNT if account else Scope.ADDRESS
    return _shared(venue, [budget for budget in budgets if budget.scope is scope], account, "").used()


def size_of(venue: str, budgets: Iterable[Budget | EarnedBudget], account: str = "") -> dict[str, tuple[int, int]]:
    """Return what is spent of such budgets and how large each is now: an earned one grows."""
    scope = Scope.ACCOUNT if account else Scope.ADDRESS
    return _shared(venue, [budget for budget in budgets if budget.scope is scope], account, "").look()


def _shared(venue: str, budgets: Iterable[Budget | EarnedBudget], account: str, signer_key: str) -> SharedThrottle:
    spender = Spender(venue, settings.MOONDEV_EGRESS, account, signer_name(signer_key))
    purse = Purse(spender, {budget.name: budget for budget in budgets}, process_clock())
    return SharedThrottle(_redis_client(), purse, process_shares())


@lru_cache(maxsize=1)
def _redis_client() -> redis.Redis:
    return redis.Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=REDIS_TIMEOUT_SECONDS,
        socket_connect_timeout=REDIS_TIMEOUT_SECONDS,
        retry=None,
    )
