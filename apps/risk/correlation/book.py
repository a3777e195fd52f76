"""Which strategies and assets share one limit now: read for many strategies at once, frozen for one tick."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import Q

from apps.exchanges.models import ALL_ASSETS, ExposureCounter, ScopeKind
from apps.risk.correlation.estimate import FEWEST_SAMPLES
from apps.risk.correlation.groups import group_of
from apps.risk.limits import LimitBook
from apps.risk.models import Allocation, LimitKind
from apps.risk.models.correlations import Correlated, Correlation
from apps.risk.portfolio.drawdown import read_marks
from apps.risk.portfolio.strategy_equity import Watched
from apps.risk.scope import StrategyScope
from moondev.domain.values import ZERO

# Measured every minute; what is older than this says nothing about now, and then nobody shares anything.
STALE = timedelta(hours=1)
# Rows that old are deleted.
FORGOTTEN = timedelta(days=7)
_LIMITS = (
    (Correlated.STRATEGY, LimitKind.STRATEGY_CORRELATION.value),
    (Correlated.ASSET, LimitKind.ASSET_CORRELATION.value),
)


@dataclass(frozen=True, slots=True)
class Shared:
    """A group that shares the limit of one of its members.

    `closest` is the member most like the one this was made for, `value` how alike they are. `most` is what all of them
    together may hold, in the portfolio's currency, None when it is not known; `others` what the others held and had
    working when this was read.
    """

    members: tuple[str, ...]
    closest: str
    value: float
    most: Decimal | None
    others: Decimal

    @property
    def words(self) -> str:
        """Return who shares what, for a refusal."""
        most = "a limit that is not known" if self.most is None else f"{self.most.normalize():f}"
        more = len(self.members) - 2
        with_more = f" and {more} more" if more > 0 else ""
        return f"{most} shared with {self.closest}{with_more} (correlation {self.value:.2f})"


@dataclass(frozen=True, slots=True)
class SharedBook:
    """Who shares a limit: by strategy, and by portfolio and asset. Who is not here shares with nobody."""

    strategies: Mapping[str, Shared] = field(default_factory=dict)
    assets: Mapping[str, Mapping[str, Shared]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Link:
    kind: str
    portfolio: str
    one: str
    other: str
    value: float


def read_shared(
    scopes: Sequence[StrategyScope], limits: LimitBook, equities: Mapping[str, Decimal | None], now: datetime
) -> SharedBook:
    """Return the groups of `scopes`, in one query while nobody is like anybody, which is nearly always.

    `equities` are those of the portfolios. What is stale, or of too few samples, links nobody.
    """
    above = _above(limits)
    if not above:
        return SharedBook()
    rows = Correlation.objects.filter(above, samples__gte=FEWEST_SAMPLES, at__gte=now - STALE)
    values = rows.values_list("kind", "portfolio", "one", "other", "value")
    links = [_Link(kind, code, one, other, value) for kind, code, one, other, value in values if value is not None]
    if not links:
        return SharedBook()
    groups = {scope.strategy: found for scope in scopes if (found := _links_of(scope, links, limits))}
    strategies = _strategies(scopes, groups, limits, now) if groups else {}
    portfolios = {scope.portfolio for scope in scopes}
    assets = {code: _assets(code, links, limits, equities.get(code)) for code in sorted(portfolios)}
    return SharedBook(strategies, {code: found for code, found in assets.items() if found})


def _above(limits: LimitBook) -> Q:
    """Return what finds the pairs above the lowest limit there is; nothing when there is none."""
    found = Q()
    for kind, limit_kind in _LIMITS:
        lowest = min((value for (name, *_), value in limits.values.items() if name == limit_kind), default=None)
        if lowest is not None:
            found |= Q(kind=kind, value__gt=float(lowest))
    return found


def _links_of(scope: StrategyScope, links: Iterable[_Link], limits: LimitBook) -> list[_Link]:
    """Return the links that bind the strategy; none when it is linked to nobody."""
    limit = limits.tightest(LimitKind.STRATEGY_CORRELATION, scope.enclosing)
    if limit is None:
        return []
    here = [
        link
        for link in links
        if link.kind == Correlated.STRATEGY and link.portfolio == scope.portfolio and link.value > float(limit)
    ]
    return here if any(scope.strategy in (link.one, link.other) for link in here) else []


def _strategies(
    scopes: Sequence[StrategyScope], groups: Mapping[str, list[_Link]], limits: LimitBook, now: datetime
) -> dict[str, Shared]:
    members = {slug: group_of(slug, ((link.one, link.other) for link in links)) for slug, links in groups.items()}
    everybody = sorted({member for group in members.values() for member in group})
    mosts = _mosts(everybody, limits, now)
    used = _used(ScopeKind.STRATEGY, everybody)
    found = {}
    for scope in scopes:
        slug = scope.strategy
        if slug in members:
            group = members[slug]
            known = [most for member in group if (most := mosts.get(member)) is not None]
            others = sum((used.get((member, ALL_ASSETS), ZERO) for member in group if member != slug), ZERO)
            found[slug] = Shared(group, *_closest(slug, groups[slug]), max(known, default=None), others)
    return found


def _mosts(strategies: Sequence[str], limits: LimitBook, now: datetime) -> dict[str, Decimal]:
    """Return what each strategy may hold by itself: its equity times its leverage, or the tighter limit on that."""
    marks = read_marks([(ScopeKind.STRATEGY.value, slug) for slug in strategies], now)
    rows = Allocation.objects.filter(strategy__in=strategies).select_related("account")
    found = {}
    for row in rows:
        mark = marks.get((ScopeKind.STRATEGY.value, row.strategy))
        if mark is None or mark.fresh_equity is None:
            continue
        limit = limits.tightest(LimitKind.MAX_LEVERAGE, Watched(row.strategy, row.capital, row.account).enclosing)
        multiple = row.leverage if limit is None else min(limit, row.leverage)
        found[row.strategy] = max(mark.fresh_equity, ZERO) * multiple
    return found


def _assets(portfolio: str, links: Iterable[_Link], limits: LimitBook, equity: Decimal | None) -> dict[str, Shared]:
    """Return the groups of assets in a portfolio that has a limit on that: each shares what one asset may be."""
    around = (("everything", "*"), (ScopeKind.PORTFOLIO.value, portfolio))
    limit = limits.tightest(LimitKind.ASSET_CORRELATION, around)
    share = limits.tightest(LimitKind.ASSET_SHARE, around)
    if limit is None or share is None:
        return {}
    near = [link for link in links if link.kind == Correlated.ASSET and link.value > float(limit)]
    names = sorted({name for link in near for name in (link.one, link.other)})
    used = _used(ScopeKind.PORTFOLIO, [portfolio]) if names else {}
    most = None if equity is None else max(equity, ZERO) * share
    found = {}
    for name in names:
        group = group_of(name, ((link.one, link.other) for link in near))
        others = sum((used.get((portfolio, member), ZERO) for member in group if member != name), ZERO)
        found[name] = Shared(group, *_closest(name, near), most, others)
    return found


def _closest(name: str, links: Iterable[_Link]) -> tuple[str, float]:
    own = [link for link in links if name in (link.one, link.other)]
    nearest = max(own, key=lambda link: link.value)
    return (nearest.other if nearest.one == name else nearest.one), nearest.value


def _used(kind: ScopeKind, keys: Sequence[str]) -> dict[tuple[str, str], Decimal]:
    rows = ExposureCounter.objects.filter(scope_kind=kind, scope_key__in=keys)
    return {(key, asset): used for key, asset, used in rows.values_list("scope_key", "asset", "used")}
