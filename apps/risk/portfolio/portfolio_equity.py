"""What portfolios are worth, as the guard observes it: venue equity, and the money that was moved."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import product

from django.db.models import F, OuterRef, Subquery, Sum

from apps.exchanges.models import Account, EquityMark, Portfolio, ScopeKind, Transfer
from apps.risk.portfolio.conversion import Conversion, conversion_between
from apps.risk.portfolio.drawdown import Before, Mark, Observation, read_marks
from apps.risk.portfolio.equity import Equities, read_equities
from apps.risk.portfolio.parts import Parts
from apps.risk.scope import ScopeId
from moondev.domain.values import ZERO

logger = logging.getLogger(__name__)

# How much of what the ledger says the venue may say more and still be believed as a new peak: fills that
# are on their way to us. Anything above is money that came in and is not booked yet.
UNBOOKED_SHARE = Decimal("0.005")


def observe_portfolios(
    portfolios: Collection[str], now: datetime, heard: Collection[int] | None = None
) -> list[Observation]:
    """Return every portfolio whose equity is known now; a few queries, two more when its accounts have changed.

    One whose transfers have just been booked while its books cannot be compared with the venue is left out until
    they can be, or its mark is old: nobody can tell then whether the money has moved already. So is one of which an
    account is not among those `heard` just now (None: all are): its latest mark is from before the booking.
    """
    equities = read_equities(portfolios, now)
    marks = read_marks([_scope(code) for code in portfolios], now)
    members = {pk for group in equities.members.values() for pk in group}
    money = _read_money(members | {pk for mark in marks.values() for pk in _ids(mark.members)}, now)
    return [
        seen
        for code, equity in equities.portfolios.items()
        if equity is not None
        and (seen := _observation(code, equity, equities, marks.get(_scope(code)), money, heard)) is not None
    ]


@dataclass(frozen=True, slots=True)
class _Money:
    """What has come into accounts, net, in their own currencies, and what that is worth in a portfolio's."""

    moved: Mapping[int, Decimal]
    currencies: Mapping[int, str]
    portfolios: Mapping[str, str]
    conversion: Conversion

    def worth(self, code: str, account_id: int, amount: Decimal | None) -> Decimal | None:
        """Return an amount of an account in the currency of a portfolio; None when no fresh rate leads there."""
        return self.conversion.convert(amount, self.currencies[account_id], self.portfolios[code])

    def funded(self, code: str, ids: Iterable[int], mark: Mark | None) -> Decimal:
        """Return the money that has come in by now: what the mark noted, and what has moved since at today's rates.

        So a rate that moves is a profit or loss like any other, never money that came or went.
        """
        noted = {} if mark is None else mark.parts
        since = ((pk, self.moved.get(pk, ZERO) - self._noted(noted, pk)) for pk in ids)
        begun = mark.funded if mark is not None and noted else ZERO
        return begun + sum((self.worth(code, pk, amount) or ZERO for pk, amount in since), start=ZERO)

    def _noted(self, noted: Parts, pk: int) -> Decimal:
        # An account that joins brings what it has; before parts were noted, everything counts from nothing.
        return noted.get(str(pk), self.moved.get(pk, ZERO)) if noted else ZERO


def _read_money(ids: Collection[int], now: datetime) -> _Money:
    rows = Account.objects.filter(pk__in=ids).values_list("pk", "currency")
    currencies, portfolios = dict(rows), dict(Portfolio.objects.values_list("code", "currency"))
    conversion = conversion_between(product(currencies.values(), portfolios.values()), now)
    return _Money(moved_by_account(ids), currencies, portfolios, conversion)


def _observation(
    code: str,
    equity: Decimal,
    equities: Equities,
    mark: Mark | None,
    money: _Money,
    heard: Collection[int] | None,
) -> Observation | None:
    ledger, members = equities.ledgers.get(code), equities.members[code]
    text = ",".join(map(str, sorted(members)))
    funded = money.funded(code, members, mark)
    before = None
    if mark is not None and mark.members not in {"", text}:
        logger.warning("portfolio %s adds up accounts %s now, formerly %s", code, text, mark.members)
        before = _before(code, mark, money)
    elif (
        (ledger is None or not (heard is None or members <= set(heard)))
        and mark is not None
        and mark.fresh
        and mark.members
        and funded != mark.funded
    ):
        return None
    parts = {str(pk): money.moved.get(pk, ZERO) for pk in members}
    return Observation(_scope(code), equity, funded, _explained(ledger, mark), ledger, text, before, parts)


def _before(code: str, mark: Mark, money: _Money) -> Before:
    """Return what the accounts of a mark are worth now by their latest marks, enabled or not."""
    ids = _ids(mark.members)
    latest = EquityMark.objects.filter(account=OuterRef("pk")).order_by("-taken_at").values("venue_equity")[:1]
    rows = Account.objects.filter(pk__in=ids).annotate(equity=Subquery(latest)).values_list("pk", "equity")
    worth = [money.worth(code, pk, equity) for pk, equity in rows]
    known = [equity for equity in worth if equity is not None]
    equity = sum(known, start=ZERO) if len(known) == len(ids) else None
    return Before(mark.members, equity, money.funded(code, ids, mark))


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


def _ids(members: str) -> frozenset[int]:
    return frozenset(int(part) for part in members.split(",") if part)


def _scope(code: str) -> ScopeId:
    return (ScopeKind.PORTFOLIO.value, code)
