"""What portfolios are worth, as the guard observes it: venue equity, and the money that was moved."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from decimal import Decimal

from django.db.models import F, OuterRef, Subquery, Sum

from apps.exchanges.models import Account, EquityMark, ScopeKind, Transfer
from apps.risk.portfolio.drawdown import Before, Mark, Observation, read_marks
from apps.risk.portfolio.equity import Equities, read_equities
from apps.risk.scope import ScopeId
from moondev.domain.values import ZERO

logger = logging.getLogger(__name__)

# How much of what the ledger says the venue may say more and still be believed as a new peak: fills that
# are on their way to us. Anything above is money that came in and is not booked yet.
UNBOOKED_SHARE = Decimal("0.005")


def observe_portfolios(portfolios: Collection[str], now: datetime) -> list[Observation]:
    """Return every portfolio whose equity is known now; three queries, two more when its accounts have changed.

    One whose transfers have just been booked while its books cannot be compared with the venue is left out until
    they can be, or its mark is old: nobody can tell then whether the money has moved already.
    """
    equities = read_equities(portfolios, now)
    marks = read_marks([_scope(code) for code in portfolios], now)
    members = {pk for group in equities.members.values() for pk in group}
    moved = moved_by_account(members | {pk for mark in marks.values() for pk in _ids(mark.members)})
    return [
        seen
        for code, equity in equities.portfolios.items()
        if equity is not None
        and (seen := _observation(code, equity, equities, marks.get(_scope(code)), moved)) is not None
    ]


def _observation(
    code: str, equity: Decimal, equities: Equities, mark: Mark | None, moved: Mapping[int, Decimal]
) -> Observation | None:
    ledger, members = equities.ledgers.get(code), equities.members[code]
    text = ",".join(map(str, sorted(members)))
    funded = _sum(moved, members)
    before = None
    if mark is not None and mark.members not in {"", text}:
        logger.warning("portfolio %s adds up accounts %s now, formerly %s", code, text, mark.members)
        before = _before(mark, moved)
    elif ledger is None and mark is not None and mark.fresh and mark.members and funded != mark.funded:
        return None
    return Observation(_scope(code), equity, funded, _explained(ledger, mark), ledger, text, before)


def _before(mark: Mark, moved: Mapping[int, Decimal]) -> Before:
    """Return what the accounts of a mark are worth now by their latest marks, enabled or not."""
    ids = _ids(mark.members)
    latest = EquityMark.objects.filter(account=OuterRef("pk")).order_by("-taken_at").values("venue_equity")[:1]
    rows = Account.objects.filter(pk__in=ids).annotate(equity=Subquery(latest)).values_list("equity", flat=True)
    worth = [equity for equity in rows if equity is not None]
    equity = sum(worth, start=ZERO) if len(worth) == len(ids) else None
    return Before(mark.members, equity, _sum(moved, ids))


def moved_by_account(account_ids: Iterable[int]) -> dict[int, Decimal]:
    """Return the money that came into accounts, net, after the first transfer of each: with that its books begin.

    What an account began with was in the venue's equity all along, so booking it moves nothing.
    """
    first = Transfer.objects.filter(account=OuterRef("account")).order_by("at", "pk").values("pk")[:1]
    rows = Transfer.objects.filter(account__in=list(account_ids)).annotate(first=Subquery(first)).exclude(pk=F("first"))
    moved: defaultdict[int, Decimal] = defaultdict(Decimal)
    moved.update(rows.values_list("account").annotate(total=Sum("amount")))
    return moved


def _explained(ledger: Decimal | None, mark: Mark | None) -> Decimal | None:
    """Return how much may become a new peak. Books that cannot be compared explain none, but a first one."""
    if ledger is None:
        return None if mark is None else ZERO
    return ledger * (1 + UNBOOKED_SHARE)


def _sum(moved: Mapping[int, Decimal], ids: Iterable[int]) -> Decimal:
    return sum((moved.get(pk, ZERO) for pk in ids), start=ZERO)


def _ids(members: str) -> frozenset[int]:
    return frozenset(int(part) for part in members.split(",") if part)


def _scope(code: str) -> ScopeId:
    return (ScopeKind.PORTFOLIO.value, code)
