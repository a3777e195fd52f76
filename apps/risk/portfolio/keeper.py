"""Gathers what the figures are made of: accounts as the venues see them, and what our books hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from django.conf import settings

from apps.exchanges.bulk import fetch
from apps.exchanges.execution.timing import lasting
from apps.exchanges.models import Account, EquityMark, InstrumentRow, Portfolio
from apps.exchanges.venue_types import AccountSnapshot
from apps.risk.models import Allocation
from apps.risk.portfolio.conversion import Conversion, read_conversion
from apps.risk.portfolio.drawdown import Mark
from apps.risk.portfolio.equity import OUT_OF_SIGHT_SECONDS
from apps.risk.portfolio.figures import Figures
from apps.risk.portfolio.rate_series import rate_points
from apps.risk.portfolio.series_keeper import SeriesKeeper
from apps.risk.portfolio.series_points import equity_points
from apps.risk.portfolio.truth import truth_write
from apps.risk.portfolio.valuation import Capital, Key, Seen, SeenAccount, Stake, value
from apps.risk.scope import ScopeId
from moondev.domain.clock import process_clock
from moondev.domain.values import ZERO

_STAKES = (
    "SELECT p.account_id, p.strategy, i.symbol, i.asset, i.quote, p.quantity, p.cost, p.realised, p.fees, p.funding,"
    " p.slippage FROM exchanges_position p JOIN exchanges_instrument i ON i.id = p.instrument_id"
    " WHERE p.account_id = ANY(%s)"
)


class TruthKeeper:
    """Writes the portfolio truth. Keeps what never changes, the coins of instruments, from pass to pass."""

    def __init__(self) -> None:
        self._assets: dict[tuple[str, str], str] = {}
        self._series = SeriesKeeper()

    def keep(
        self,
        accounts: Sequence[Account],
        heard: Mapping[int, AccountSnapshot],
        marks: Mapping[ScopeId, Mark],
        now: datetime,
    ) -> None:
        """Write the figures of everything on `accounts`, and points of equity now and then.

        `heard` are the accounts whose venue answered, by id; `marks` what this pass has marked.
        """
        conversion = read_conversion(now)
        figures = self._write(accounts, heard, conversion, now)
        points = equity_points(accounts, heard, marks, figures, conversion, now)
        self._series.keep([*points, *rate_points(conversion)], now)

    def write(self, accounts: Sequence[Account], heard: Mapping[int, AccountSnapshot], now: datetime) -> None:
        """Write the figures alone, for a look between two passes."""
        self._write(accounts, heard, read_conversion(now), now)

    def _write(
        self,
        accounts: Sequence[Account],
        heard: Mapping[int, AccountSnapshot],
        conversion: Conversion,
        now: datetime,
    ) -> dict[Key, Figures]:
        unseen = _unseen([account.pk for account in accounts if account.pk not in heard], now)
        seen_accounts = [
            SeenAccount(
                account.pk, account.code, account.venue_id, account.portfolio_id,
                account.portfolio.environment, account.currency, heard.get(account.pk),
                unseen.get(account.pk),
            )
            for account in accounts
        ]  # fmt: skip
        ids = [account.pk for account in accounts]
        seen = Seen(
            at=now,
            accounts=seen_accounts,
            stakes=[Stake(*row) for row in fetch(_STAKES, (ids,))],
            capitals=[Capital(*row) for row in Allocation.objects.values_list("strategy", "account_id", "capital")],
            assets=self._assets_of(seen_accounts),
            conversion=conversion,
            currencies=reporting_currencies(Portfolio.objects.all()),
        )
        figures = value(seen)
        truth_write(figures, now)
        return figures

    def _assets_of(self, accounts: Iterable[SeenAccount]) -> Mapping[tuple[str, str], str]:
        """Return the base coin of every symbol that venues report positions in; symbols met before are known."""
        missing = {
            (account.venue, position.symbol)
            for account in accounts
            if account.snapshot is not None
            for position in account.snapshot.positions
        } - set(self._assets)
        if missing:
            venues, symbols = {venue for venue, _ in missing}, {symbol for _, symbol in missing}
            rows = InstrumentRow.objects.filter(venue_id__in=venues, symbol__in=symbols)
            self._assets |= {
                (venue, symbol): asset for venue, symbol, asset in rows.values_list("venue_id", "symbol", "asset")
            }
        return self._assets


def reporting_currencies(portfolios: Iterable[Portfolio]) -> dict[str, str]:
    """Return the reporting currency of each environment: the setting, or else that of most of its portfolios."""
    counts: dict[str, Counter[str]] = {}
    for row in portfolios:
        counts.setdefault(row.environment, Counter())[row.currency] += 1
    chosen: str = settings.MOONDEV_REPORTING_CURRENCY
    return {
        environment: chosen or min(found, key=lambda currency: (-found[currency], currency))
        for environment, found in counts.items()
    }


def _unseen(account_ids: Sequence[int], now: datetime) -> dict[int, Decimal]:
    """Return what accounts that do not answer had free when they last did, if that is not long ago."""
    if not account_ids:
        return {}
    since = now - lasting(process_clock(), OUT_OF_SIGHT_SECONDS)
    latest = EquityMark.objects.filter(account__in=account_ids, taken_at__gte=since).order_by("account", "-taken_at")
    rows = latest.distinct("account").values_list("account_id", "venue_equity", "margin_used")
    return {pk: max(equity - margin, ZERO) for pk, equity, margin in rows}
