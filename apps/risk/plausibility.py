"""Whether what a venue says an account is worth can be true: a price feed may freeze, or be ten times off.

A figure that jumps is not believed at once: neither a loss nor, which is worse, a peak that later looks like one. It
is unknown until the venue has said the same in several answers, or our own market data say so too; while they say
otherwise it is not believed at all. Prices that drift apart slowly are believed, and told of.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from apps.exchanges.accounts.plausible import JUMP, close_to
from apps.exchanges.execution.fresh_prices import fresh_prices
from apps.exchanges.market_data.cache import MarketCache, redis_client
from apps.exchanges.models import Account, AccountEvent
from apps.exchanges.orders.events import Alarm, alarm_once
from apps.exchanges.venue_types import AccountSnapshot, PositionSnapshot
from moondev.domain.clock import Clock, monotonic
from moondev.domain.values import Price

logger = logging.getLogger(__name__)

# So many answers in a row have to agree before a jump is believed. One that repeats an answer is none.
AGREEING = 3
# After so long without an answer there is nothing to compare with.
MEMORY_SECONDS = 60.0
# Our own prices and the venue's differ by this share for so long before a person is told.
APART = Decimal("0.05")
APART_SECONDS = 10.0
# How often our own prices are looked at while nothing jumps: Redis is asked, and may be slow to say nothing.
LOOK_SECONDS = 5.0

# Fresh prices by instrument, of those wanted that have one; none while our own market data are away.
OwnPrices = Callable[[Iterable[str]], Mapping[str, Price]]


def no_prices(_: Iterable[str]) -> Mapping[str, Price]:
    """Know no prices of our own."""
    return {}


def market_prices(clock: Clock) -> OwnPrices:
    """Return how this process looks at the market data that its streams keep."""
    cache = MarketCache(redis_client())
    return lambda instruments: fresh_prices(cache, clock, instruments, clock.now())


@dataclass(frozen=True, slots=True)
class _Said:
    snapshot: AccountSnapshot
    at: float
    times: int = 1


class Plausibility:
    """What one guard has believed of each account, and what it doubts."""

    def __init__(self, own_prices: OwnPrices = no_prices, timer: Callable[[], float] = monotonic) -> None:
        self._own_prices, self._timer = own_prices, timer
        self._believed: dict[int, _Said] = {}
        self._doubted: dict[int, _Said] = {}
        self._apart_since: dict[tuple[int, str], float] = {}
        self._looked_at = float("-inf")

    def sift(
        self, accounts: Sequence[Account], heard: Mapping[int, AccountSnapshot], now: datetime
    ) -> dict[int, AccountSnapshot]:
        """Return the answers that are believed; an account whose answer is not is unknown, as if it gave none."""
        jumped = [account for account in accounts if account.pk in heard and self._jumps(account.pk, heard[account.pk])]
        prices = self._prices(accounts, heard, in_doubt=bool(jumped))
        for account in jumped:
            self._weigh(account, heard[account.pk], prices)
        self._tell_apart(accounts, heard, prices, now)
        return {pk: snapshot for pk, snapshot in heard.items() if self._is_believed(pk, snapshot)}

    def _jumps(self, pk: int, snapshot: AccountSnapshot) -> bool:
        """Believe an answer that is near the last believed one; return whether it is not."""
        last = self._believed.get(pk)
        if last is None or self._timer() - last.at > MEMORY_SECONDS or near(last.snapshot, snapshot):
            self._believe(pk, snapshot)
            return False
        return True

    def _weigh(self, account: Account, snapshot: AccountSnapshot, prices: Mapping[str, Price] | None) -> None:
        before = self._doubted.get(account.pk)
        repeated = before is not None and before.snapshot is snapshot
        agrees = before is not None and near(before.snapshot, snapshot)
        times = (before.times + (not repeated) if agrees else 1) if before is not None else 1
        if before is None:
            logger.warning("account %s: a jump to %s is not believed yet", account.code, snapshot.equity)
        self._doubted[account.pk] = _Said(snapshot, self._timer(), times)
        contradicted = _contradicted(account, snapshot, prices or {})
        if times >= AGREEING and not contradicted:
            logger.warning("account %s: the jump to %s is believed", account.code, snapshot.equity)
            self._believe(account.pk, snapshot)

    def _believe(self, pk: int, snapshot: AccountSnapshot) -> None:
        self._believed[pk] = _Said(snapshot, self._timer())
        self._doubted.pop(pk, None)

    def _is_believed(self, pk: int, snapshot: AccountSnapshot) -> bool:
        return self._believed[pk].snapshot is snapshot

    def _prices(
        self, accounts: Iterable[Account], heard: Mapping[int, AccountSnapshot], *, in_doubt: bool
    ) -> Mapping[str, Price] | None:
        """Return our own prices of what is held; None when nobody has to know them now."""
        if not in_doubt and self._timer() - self._looked_at < LOOK_SECONDS:
            return None
        held = {_key(account, p) for account in accounts if account.pk in heard for p in heard[account.pk].positions}
        self._looked_at = self._timer()
        return self._own_prices(held) if held else {}

    def _tell_apart(
        self,
        accounts: Iterable[Account],
        heard: Mapping[int, AccountSnapshot],
        prices: Mapping[str, Price] | None,
        now: datetime,
    ) -> None:
        """Tell, once an hour and account, of marks that our own market data have contradicted for a while."""
        if prices is None:
            return
        moment = self._timer()
        since = self._apart_since
        self._apart_since = {}
        for account in accounts:
            apart = _apart(account, heard[account.pk], prices, APART) if account.pk in heard else {}
            for symbol in apart:
                self._apart_since[account.pk, symbol] = since.get((account.pk, symbol), moment)
            lasting = [s for s in apart if moment - self._apart_since[account.pk, s] >= APART_SECONDS]
            if lasting:
                text = "; ".join(f"{s}: the venue says {apart[s][0]}, our market data {apart[s][1]}" for s in lasting)
                alarm_once(account.pk, Alarm(AccountEvent.Kind.MARK_DIFFERS, text), now)


def near(one: AccountSnapshot, other: AccountSnapshot) -> bool:
    """Return whether two answers of an account are so near that one may follow the other within seconds."""
    marks = {position.symbol: position.mark_price.value for position in one.positions}
    return close_to(one.equity.value, other.equity.value) and all(
        close_to(marks[position.symbol], position.mark_price.value)
        for position in other.positions
        if position.symbol in marks
    )


def _contradicted(account: Account, snapshot: AccountSnapshot, prices: Mapping[str, Price]) -> bool:
    return bool(_apart(account, snapshot, prices, JUMP))


def _apart(
    account: Account, snapshot: AccountSnapshot, prices: Mapping[str, Price], share: Decimal
) -> dict[str, tuple[Price, Price]]:
    """Return the marks, and our prices beside them, that differ by more than `share`."""
    pairs = {p.symbol: (p.mark_price, prices.get(_key(account, p))) for p in snapshot.positions}
    return {s: (mark, own) for s, (mark, own) in pairs.items() if own and not close_to(mark.value, own.value, share)}


def _key(account: Account, position: PositionSnapshot) -> str:
    return f"{account.venue_id}:{position.symbol}"
