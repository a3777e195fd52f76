"""What each portfolio has lost since 00:00 UTC, for the review.

The breaker asks the same of `breakers.readings`, where one account out of sight makes the loss unknown. The review has
to go on elsewhere while one venue is away, so an account that was seen within a quarter of an hour counts with what it
was worth then.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from django.db.models import Max, OuterRef, Subquery

from apps.exchanges.execution.timing import lasting
from apps.exchanges.models import Account, EquityMark, ScopeKind
from apps.risk.breakers.machine import WORSE
from apps.risk.breakers.readings import moved_since
from apps.risk.models import BreakerState, Metric
from apps.risk.portfolio.conversion import conversion_between
from apps.risk.portfolio.equity import OUT_OF_SIGHT_SECONDS
from apps.risk.portfolio.figures import added
from apps.risk.portfolio.rate_series import read_first_rates
from moondev.domain.clock import process_clock
from moondev.domain.values import ZERO


@dataclass(frozen=True, slots=True)
class DayLoss:
    """The share of its equity that a portfolio has lost today; None when not known, negative is a gain.

    `accepted` is the loss that a breaker has taken for granted when it let trading go on.
    """

    share: Decimal | None
    accepted: Decimal = ZERO

    def reaches(self, limit: Decimal) -> bool:
        """Return whether it is as large as may be: the limit, or a tenth more than what was accepted."""
        return self.share is not None and self.share >= max(limit, self.accepted * WORSE)


def read_day_losses(portfolios: Collection[str], now: datetime) -> dict[str, DayLoss]:
    """Return the loss of each portfolio in three queries; moved money is taken out.

    An account without a mark of today is taken to begin the day with its latest one.
    """
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    marks = EquityMark.objects.filter(account=OuterRef("pk"))
    first, last = marks.filter(taken_at__gte=midnight).order_by("taken_at"), marks.order_by("-taken_at")
    rows = (
        Account.objects.filter(enabled=True, portfolio__in=portfolios)
        .annotate(
            begun=Subquery(first.values("venue_equity")[:1]),
            worth=Subquery(last.values("venue_equity")[:1]),
            seen=Subquery(last.values("taken_at")[:1]),
        )
        .values_list("pk", "portfolio_id", "currency", "portfolio__currency", "begun", "worth", "seen")
    )
    found = list(rows)
    rates = conversion_between(((currency, reporting) for _, _, currency, reporting, *_ in found), now)
    first_rates = read_first_rates(midnight, now) if rates.rates else rates
    moved, sight = moved_since(midnight), lasting(process_clock(), OUT_OF_SIGHT_SECONDS)
    begun: defaultdict[str, Decimal | None] = defaultdict(Decimal)
    lost: defaultdict[str, Decimal | None] = defaultdict(Decimal)
    for account, portfolio, currency, reporting, start, worth, seen in found:
        late = seen is None or now - seen > sight
        opening = (rates if start is None else first_rates).convert(start or worth, currency, reporting)
        came = rates.convert(ZERO if start is None else moved.get(account, ZERO), currency, reporting)
        left = rates.convert(None if late else worth, currency, reporting)
        if opening is None or came is None or left is None:
            begun[portfolio] = lost[portfolio] = None
            continue
        begun[portfolio] = added(begun[portfolio], opening + max(came, ZERO))
        lost[portfolio] = added(lost[portfolio], opening + came - left)
    accepted = _accepted()
    return {code: DayLoss(_share(lost[code], begun[code]), accepted.get(code, ZERO)) for code in portfolios}


def _share(lost: Decimal | None, begun: Decimal | None) -> Decimal | None:
    return None if lost is None or begun is None or begun <= 0 else lost / begun


def _accepted() -> dict[str, Decimal]:
    rows = BreakerState.objects.filter(
        breaker__metric=Metric.DAY_LOSS, breaker__enabled=True, scope_kind=ScopeKind.PORTFOLIO
    )
    return dict(rows.values_list("scope_key").annotate(Max("accepted")))
