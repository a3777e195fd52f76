"""What was traded, paid and sent in a period: a row for each owner, account and currency, added up by the database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TypeVar

from apps.monitor.analytics.period import Period
from apps.monitor.analytics.reading import rows_of, statement
from apps.monitor.analytics.scopes import Subject
from apps.risk.portfolio.conversion import Conversion
from moondev.domain.orders import FINAL
from moondev.domain.values import ZERO

T = TypeVar("T", "Traded", "Sent", "Funded")
FILLS, ORDERS, FUNDING = statement("activity"), statement("activity_orders"), statement("activity_funding")


@dataclass(frozen=True, slots=True)
class Traded:
    """Fills of one owner on one account in one quote currency. Fees are in the account's `currency`."""

    account_id: int
    strategy: str
    quote: str
    fills: int
    turnover: Decimal
    made: Decimal
    realised: Decimal
    fees: Decimal
    slippage: Decimal | None
    planned: Decimal


@dataclass(frozen=True, slots=True)
class Sent:
    """Orders of one owner on one account that were sent in the period and have ended; `shares` adds up what filled."""

    account_id: int
    strategy: str
    orders: int
    filled: int
    shares: Decimal


@dataclass(frozen=True, slots=True)
class Funded:
    """Funding that one owner got on one account; paid funding is below zero."""

    account_id: int
    strategy: str
    quote: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Activity:
    """Everything that was traded on some accounts in a period; `currencies` are those of the accounts."""

    traded: Sequence[Traded]
    sent: Sequence[Sent]
    funded: Sequence[Funded]
    currencies: dict[int, str]


@dataclass(slots=True)
class Totals:
    """Sums in one currency. An amount is None once a part of it had no rate; `why` says which."""

    fills: int = 0
    turnover: Decimal | None = ZERO
    made: Decimal | None = ZERO
    realised: Decimal | None = ZERO
    fees: Decimal | None = ZERO
    funding: Decimal | None = ZERO
    slippage: Decimal | None = ZERO
    planned: Decimal | None = ZERO
    orders: int = 0
    orders_filled: int = 0
    shares: Decimal = ZERO
    why: dict[str, str] = field(default_factory=dict)

    @property
    def net(self) -> Decimal | None:
        """Return realised profit - fees + funding; None when one of them is not known."""
        if self.realised is None or self.fees is None or self.funding is None:
            return None
        return self.realised - self.fees + self.funding


def read_activity(currencies: dict[int, str], period: Period, strategy: str | None = None) -> Activity:
    """Return what was traded on the accounts in `currencies`, in three statements."""
    chosen = {"accounts": list(currencies), "strategy": strategy, "start": period.start, "end": period.end}
    final = {"final": [status.value for status in FINAL]}
    return Activity(
        [Traded(*row) for row in rows_of(FILLS, chosen)],
        [Sent(*row) for row in rows_of(ORDERS, chosen | final)],
        [Funded(*row) for row in rows_of(FUNDING, chosen)],
        currencies,
    )


def totals_of(activity: Activity, subject: Subject, conversion: Conversion) -> Totals:
    """Return the sums of what counts for a subject, in its currency, at the rates given."""
    totals = Totals()
    adding = _Adding(totals, conversion, subject.currency)
    for traded in _own(activity.traded, subject):
        totals.fills += traded.fills
        adding.add("fees", traded.fees, activity.currencies[traded.account_id])
        for name in ("turnover", "made", "realised", "slippage", "planned"):
            adding.add(name, getattr(traded, name) or ZERO, traded.quote)
    for funded in _own(activity.funded, subject):
        adding.add("funding", funded.amount, activity.currencies[funded.account_id])
    for sent in _own(activity.sent, subject):
        totals.orders += sent.orders
        totals.orders_filled += sent.filled
        totals.shares += sent.shares
    return totals


@dataclass(frozen=True, slots=True)
class _Adding:
    totals: Totals
    conversion: Conversion
    currency: str

    def add(self, name: str, amount: Decimal, currency: str) -> None:
        """Add an amount of another currency; without a rate the sum is not known any more."""
        part = self.conversion.convert(amount, currency, self.currency)
        before = getattr(self.totals, name)
        if part is None:
            self.totals.why[name] = self.conversion.why_not(currency, self.currency)
        setattr(self.totals, name, None if part is None or before is None else before + part)


def _own(rows: Iterable[T], subject: Subject) -> list[T]:
    return [row for row in rows if subject.owns(row.account_id, row.strategy)]
