"""From what the venues say and what our books hold to the figures of everything. Pure: all inputs are handed in.

Equity, margin and exposure are the venues' own word, profit is that of our books at the venues' marks. Each amount is
converted once and then only added up: over strategies and UNASSIGNED, over accounts or over assets, the profit of the
same positions is the same to the last decimal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from apps.exchanges.venue_types import AccountSnapshot
from apps.risk.models import Level
from apps.risk.portfolio.conversion import Conversion
from apps.risk.portfolio.figures import Amount, Figures, Sum, added
from moondev.domain.values import ZERO

Key = tuple[str, str, str]  # environment, level, key
_PROFIT = ("realised", "unrealised", "fees", "funding", "slippage")
_EXPOSURE = ("gross_exposure", "net_exposure")
_EQUITY = ("equity", "equity_at_least", "margin_used", "margin_free")
_APPLIES: Mapping[str, tuple[str, ...]] = {
    Level.TOTAL: (*_EQUITY, *_EXPOSURE, *_PROFIT),
    Level.PORTFOLIO: (*_EQUITY, *_EXPOSURE, *_PROFIT),
    Level.ACCOUNT: (*_EQUITY, *_EXPOSURE, *_PROFIT),
    Level.VENUE: (*_EQUITY, *_EXPOSURE, *_PROFIT),
    Level.STRATEGY: ("equity", "equity_at_least", *_EXPOSURE, *_PROFIT),
    Level.ASSET: (*_EXPOSURE, *_PROFIT),
}


@dataclass(frozen=True, slots=True)
class SeenAccount:
    """One enabled account and the venue's latest answer; None: it did not answer.

    `unseen` is what it had free when it last answered, if that is not long ago; in `currency`, as its books are.
    """

    account_id: int
    code: str
    venue: str
    portfolio: str
    environment: str
    currency: str
    snapshot: AccountSnapshot | None
    unseen: Amount = None


@dataclass(frozen=True, slots=True)
class Stake:
    """What one owner holds of one instrument on one account, and what it has made, in the instrument's `quote`.

    Fees and funding are in the account's currency.
    """

    account_id: int
    strategy: str
    symbol: str
    asset: str
    quote: str
    quantity: Decimal
    cost: Decimal
    realised: Decimal
    fees: Decimal
    funding: Decimal
    slippage: Amount = None


@dataclass(frozen=True, slots=True)
class Capital:
    """The money a strategy was given, in its account's currency."""

    strategy: str
    account_id: int
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Seen:
    """Everything that goes into the figures of one moment. `assets` are by venue and symbol."""

    at: datetime
    accounts: Sequence[SeenAccount]
    stakes: Sequence[Stake]
    capitals: Sequence[Capital]
    assets: Mapping[tuple[str, str], str]
    conversion: Conversion
    currencies: Mapping[str, str]


def value(seen: Seen) -> dict[Key, Figures]:
    """Return the figures of everything that was seen, each in its environment's reporting currency."""
    return _Valuation(seen).figures()


class _Valuation:
    """One pass over accounts, stakes and capitals; every amount goes to all the sums it belongs to."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen
        self._accounts = {account.account_id: account for account in seen.accounts}
        self._sums: dict[Key, Sum] = {}
        self._rates: dict[tuple[str, str], Amount] = {}
        self._marks = _marks(seen.accounts)

    def figures(self) -> dict[Key, Figures]:
        for account in self._seen.accounts:
            self._add_account(account)
        profits: dict[tuple[str, str], Amount] = {}
        for stake in self._seen.stakes:
            holder = self._accounts.get(stake.account_id)
            if holder is not None:
                owner = (holder.environment, stake.strategy)
                profits[owner] = added(profits.get(owner, ZERO), self._add_stake(holder, stake))
        for capital in self._seen.capitals:
            self._add_capital(capital, profits)
        self._no_equity_without_capital()
        return {key: total.figures(self._seen.currencies[key[0]], self._seen.at) for key, total in self._sums.items()}

    def _add_account(self, account: SeenAccount) -> None:
        parts, why = self._worth(account)
        for level, key in _around(account):
            self._sum(account, level, key).add(parts, why)
        for position in account.snapshot.positions if account.snapshot else ():
            worth = self._converted(account, position.value.value, position.value.currency)
            exposure = _exposure(worth)
            why = self._why(account, position.value.currency) if worth is None else ""
            asset = self._seen.assets.get((account.venue, position.symbol), position.symbol)
            for level, key in (*_around(account), (Level.ASSET, asset)):
                self._sum(account, level, key).add(exposure, why)

    def _worth(self, account: SeenAccount) -> tuple[dict[str, Amount], str]:
        """Return equity and margin of an account, and what is not known of them."""
        snapshot = account.snapshot
        if snapshot is None:
            least = self._converted(account, account.unseen, account.currency)
            unknown: dict[str, Amount] = dict.fromkeys((*_EQUITY, *_EXPOSURE))
            return {**unknown, "equity_at_least": least}, _silent(account)
        equity = self._converted(account, snapshot.equity.value, snapshot.equity.currency)
        margin = self._converted(account, snapshot.margin_used.value, snapshot.margin_used.currency)
        free = None if equity is None or margin is None else equity - margin
        why = self._why(account, snapshot.equity.currency) if equity is None else ""
        parts = {"equity": equity, "equity_at_least": equity, "margin_used": margin, "margin_free": free}
        return parts, why

    def _add_stake(self, account: SeenAccount, stake: Stake) -> Amount:
        """Add what a stake has made to all it belongs to; return it, fees and funding included."""
        worth, why = self._stake_worth(account, stake)
        made: dict[str, Amount] = {
            "realised": self._converted(account, stake.realised, stake.quote),
            "unrealised": None if worth is None else self._converted(account, worth - stake.cost, stake.quote),
            "fees": self._converted(account, stake.fees, account.currency),
            "funding": self._converted(account, stake.funding, account.currency),
            "slippage": self._converted(account, stake.slippage, stake.quote),
        }
        for name, currency in (("realised", stake.quote), ("fees", account.currency)):
            why = why or (self._why(account, currency) if made[name] is None else "")
        for level, key in (*_around(account), (Level.ASSET, stake.asset)):
            self._sum(account, level, key).add(made, why)
        exposure = _exposure(self._converted(account, worth, stake.quote))
        self._sum(account, Level.STRATEGY, stake.strategy).add({**made, **exposure}, why)
        if account.snapshot is None and stake.quantity:
            # The venue would say what is held there; our books alone do not.
            self._sum(account, Level.ASSET, stake.asset).add(dict.fromkeys(_EXPOSURE), _silent(account))
        gross = added(made["realised"], made["unrealised"])
        fees, funding = made["fees"], made["funding"]
        return None if gross is None or fees is None or funding is None else gross - fees + funding

    def _stake_worth(self, account: SeenAccount, stake: Stake) -> tuple[Amount, str]:
        if not stake.quantity:
            return ZERO, ""
        mark = self._marks.get((account.venue, stake.symbol))
        if mark is None:
            return None, f"{account.venue} gives no mark of {stake.symbol}"
        return stake.quantity * mark, ""

    def _add_capital(self, capital: Capital, profits: Mapping[tuple[str, str], Amount]) -> None:
        account = self._accounts.get(capital.account_id)
        if account is None:
            return
        amount = self._converted(account, capital.amount, account.currency)
        equity = added(amount, profits.get((account.environment, capital.strategy), ZERO))
        why = self._why(account, account.currency) if amount is None else ""
        self._sum(account, Level.STRATEGY, capital.strategy).add({"equity": equity, "equity_at_least": equity}, why)

    def _no_equity_without_capital(self) -> None:
        """Who was given no money has made something, and is worth nothing that could be said."""
        given = {
            (account.environment, capital.strategy)
            for capital in self._seen.capitals
            if (account := self._accounts.get(capital.account_id)) is not None
        }
        for (environment, level, key), total in self._sums.items():
            if level == Level.STRATEGY and (environment, key) not in given:
                total.add({"equity": None, "equity_at_least": None})

    def _sum(self, account: SeenAccount, level: str, key: str) -> Sum:
        name = (account.environment, str(level), key)
        found = self._sums.get(name)
        if found is None:
            found = self._sums[name] = Sum(_APPLIES[level])
        return found

    def _converted(self, account: SeenAccount, amount: Amount, currency: str) -> Amount:
        reporting = self._seen.currencies[account.environment]
        return self._seen.conversion.convert(amount, currency, reporting)

    def _why(self, account: SeenAccount, currency: str) -> str:
        return self._seen.conversion.why_not(currency, self._seen.currencies[account.environment])


def _around(account: SeenAccount) -> tuple[tuple[str, str], ...]:
    return (
        (Level.TOTAL, account.environment),
        (Level.PORTFOLIO, account.portfolio),
        (Level.ACCOUNT, account.code),
        (Level.VENUE, account.venue),
    )


def _silent(account: SeenAccount) -> str:
    return f"{account.code} does not answer"


def _exposure(worth: Amount) -> dict[str, Amount]:
    return {"gross_exposure": None if worth is None else abs(worth), "net_exposure": worth}


def _marks(accounts: Sequence[SeenAccount]) -> dict[tuple[str, str], Decimal]:
    """Return the mark of every symbol that any account of a venue holds: a venue has one mark for all."""
    return {
        (account.venue, position.symbol): position.mark_price.value
        for account in accounts
        if account.snapshot is not None
        for position in account.snapshot.positions
    }
