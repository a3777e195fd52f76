"""What breakers read: from the venues' equity, our rows and this machine. What cannot be read is None, never zero."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from django.db.models import F, Min, OuterRef, Subquery

from apps.exchanges.bulk import fetch
from apps.exchanges.execution.nudges import EVERYTHING
from apps.exchanges.models import Account, AccountEvent, EquityMark, Position, ScopeKind, Transfer
from apps.risk.breakers.load import HostLoad
from apps.risk.breakers.silence import Silence
from apps.risk.limits import LimitBook
from apps.risk.models import LimitKind, Metric
from apps.risk.portfolio.conversion import conversion_between
from apps.risk.portfolio.drawdown import Mark
from apps.risk.portfolio.equity import is_fresh
from apps.risk.portfolio.figures import added
from apps.risk.portfolio.rate_series import read_first_rates
from apps.risk.portfolio.strategy_equity import Watched
from apps.risk.scope import ScopeId
from moondev.domain.clock import Clock
from moondev.domain.values import ZERO

Readings = Mapping[ScopeId, Decimal | None]
# Fewer orders than this say nothing about a venue.
FEWEST_ORDERS = 20
_LATENCY = (
    "percentile_cont(0.95) WITHIN GROUP (ORDER BY extract(epoch FROM o.acknowledged_at - o.sent_at) * 1000)"
    " FILTER (WHERE o.acknowledged_at IS NOT NULL)"
)
_UNANSWERED = "avg((u.order_id IS NOT NULL)::int)"
# Few orders are ever unknown: they are found first, by an index of their own, instead of asking each for its events.
_UNKNOWN_EVENTS = (
    " LEFT JOIN (SELECT DISTINCT order_id FROM exchanges_orderevent WHERE status_to = 'unknown' AND at >= %s) u"
    " ON u.order_id = o.id"
)
_DRAWDOWNS = {Metric.STRATEGY_DRAWDOWN: ScopeKind.STRATEGY, Metric.PORTFOLIO_DRAWDOWN: ScopeKind.PORTFOLIO}


def drawdowns(metric: Metric, marks: Mapping[ScopeId, Mark]) -> Readings:
    """Return the fall from the peak of each marked scope of the metric's kind."""
    kind = _DRAWDOWNS[metric].value
    return {scope: mark.fresh_drawdown for scope, mark in marks.items() if scope[0] == kind}


def day_losses(now: datetime) -> Readings:
    """Return each portfolio's loss since 00:00 UTC as a share of what it was worth then; negative is a gain.

    Its accounts' first marks of the day are what it was worth, at the day's first rates; money that moved since is
    taken out. One account without a mark of today, or whose latest is old, makes its portfolio's loss unknown, and so
    does one in another currency without a rate of today.
    """
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    today = EquityMark.objects.filter(account=OuterRef("pk"), taken_at__gte=midnight)
    first, last = today.order_by("taken_at"), today.order_by("-taken_at")
    rows = Account.objects.filter(enabled=True).annotate(
        begun=Subquery(first.values("venue_equity")[:1]), begun_at=Subquery(first.values("taken_at")[:1]),
        ended=Subquery(last.values("venue_equity")[:1]), ended_at=Subquery(last.values("taken_at")[:1]),
    )  # fmt: skip
    begun: defaultdict[str, Decimal | None] = defaultdict(Decimal)
    lost: defaultdict[str, Decimal | None] = defaultdict(Decimal)
    moved = moved_since(midnight)
    found = list(
        rows.values_list("pk", "portfolio_id", "currency", "portfolio__currency", "begun", "ended", "ended_at")
    )
    rates = conversion_between(((currency, reporting) for _, _, currency, reporting, *_ in found), now)
    first_rates = read_first_rates(midnight, now) if rates.rates else rates
    for account, portfolio, currency, reporting, start, end, at in found:
        was = first_rates.convert(start, currency, reporting)
        came = rates.convert(moved.get(account, ZERO), currency, reporting)
        worth = rates.convert(end if is_fresh(at, now) else None, currency, reporting)
        if was is None or came is None or worth is None:
            begun[portfolio] = lost[portfolio] = None
            continue
        begun[portfolio] = added(begun[portfolio], was + max(came, ZERO))
        lost[portfolio] = added(lost[portfolio], was + came - worth)
    return {(ScopeKind.PORTFOLIO.value, code): _share(lost[code], base) for code, base in begun.items()}


def venue_quality(metric: Metric, window: timedelta, now: datetime) -> Readings:
    """Return how each venue took orders in `window`: 95 of 100 acknowledged within so many ms, or the share unanswered.

    A rejection is an answer: quotes that may only rest are turned away many times a day. A venue with fewer than
    FEWEST_ORDERS orders in the window says nothing.
    """
    since, is_latency = now - window, metric is Metric.ORDER_LATENCY
    figure, joined = (_LATENCY, "") if is_latency else (_UNANSWERED, _UNKNOWN_EVENTS)
    rows = fetch(
        f"SELECT a.venue_id, count(*), {figure} FROM exchanges_order o"  # noqa: S608  our own words
        f" JOIN exchanges_account a ON a.id = o.account_id{joined}"
        " WHERE o.created_at >= %s AND o.sent_at IS NOT NULL GROUP BY a.venue_id",
        (since,) if is_latency else (since, since),
    )
    return {
        (ScopeKind.VENUE.value, venue): Decimal(str(value)) if count >= FEWEST_ORDERS and value is not None else None
        for venue, count, value in rows
    }


def venues_down(silence: Silence, window: timedelta) -> Readings:
    """Return how many venues have answered for none of their enabled accounts all through `window`."""
    return {EVERYTHING: Decimal(silence.venues_down(window))} if silence.asked else {}


def position_ages(watched: Iterable[Watched], limits: LimitBook, clock: Clock) -> Readings:
    """Return how old each strategy's oldest open position is, as a share of its limit; who has none is not asked."""
    allowed = {item: limits.tightest(LimitKind.POSITION_AGE_SECONDS, item.enclosing) for item in watched}
    asked = {item.strategy: (item.scope, seconds) for item, seconds in allowed.items() if seconds is not None}
    oldest = dict(
        Position.objects.filter(strategy__in=asked)
        .exclude(quantity=0)
        .values_list("strategy")
        .annotate(Min("opened_at"))
    )
    found: dict[ScopeId, Decimal | None] = {}
    for strategy, (scope, seconds) in asked.items():
        since = oldest.get(strategy, clock.now())
        age = None if since is None else Decimal(str((clock.now() - since).total_seconds()))
        found[scope] = None if age is None else age / seconds
    return found


def credential_alarms(window: timedelta, now: datetime) -> Readings:
    """Return how often in `window` each enabled account's venue has refused the key we came with."""
    counts = dict.fromkeys(Account.objects.filter(enabled=True).values_list("code", flat=True), 0)
    recent = AccountEvent.objects.filter(kind=AccountEvent.Kind.STREAM_REFUSED, at__gte=now - window)
    for code in recent.values_list("account__code", flat=True):
        counts[code] = counts.get(code, 0) + 1
    return {(ScopeKind.ACCOUNT.value, code): Decimal(count) for code, count in counts.items()}


def host_load(metric: Metric, load: HostLoad, window: timedelta) -> Readings:
    """Return the mean use of this machine's processors or memory; None until the window has been filled once."""
    return {EVERYTHING: load.cpu(window) if metric is Metric.CPU else load.memory(window)}


def moved_since(moment: datetime) -> dict[int, Decimal]:
    """Return the money that came into accounts since, net; what an account's books began with moved nothing."""
    first = Transfer.objects.filter(account=OuterRef("account")).order_by("at", "pk").values("pk")[:1]
    rows = Transfer.objects.filter(at__gte=moment).annotate(first=Subquery(first)).exclude(pk=F("first"))
    moved: defaultdict[int, Decimal] = defaultdict(Decimal)
    for account, amount in rows.values_list("account_id", "amount"):
        moved[account] += amount
    return moved


def _share(lost: Decimal | None, begun: Decimal | None) -> Decimal | None:
    if lost is None or begun is None or begun <= 0:
        return None
    return lost / begun
