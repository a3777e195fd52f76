"""Round trips from what is booked: one from flat to flat, as a backtest counts them. trips.sql does the arithmetic.

Within a trip it does not matter which purchase a sale is set against: over the whole of it first in, first out and the
ledger's average cost come to the same. Which lot was sold is for taxes, see exports/lots.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from apps.monitor.analytics.beginnings import EARLIEST, beginning
from apps.monitor.analytics.period import Period
from apps.monitor.analytics.reading import Row, rows_of, rows_streamed, statement
from apps.strategies.backtest.results import Trade
from moondev.domain.clock import milliseconds
from moondev.domain.values import Side

TRIPS = statement("trips")
ORDER = " ORDER BY closed_at NULLS LAST, opened_at, account_id, strategy, instrument"


@dataclass(frozen=True, slots=True)
class Trip:
    """One round trip of one owner; `closed_at` None: it is still open. Prices are in `currency`.

    `realised` is the profit of prices alone, `fees` are positive when paid, `funding` when received. `slippage` is what
    its fills cost against their plans, a part of `realised`; None when nothing of it was planned. Fees and funding are
    in the account's currency.
    """

    account_id: int
    strategy: str
    instrument: str
    currency: str
    side: Side
    opened_at: datetime
    closed_at: datetime | None
    quantity: Decimal
    entry_price: Decimal
    exit_price: Decimal | None
    realised: Decimal
    fees: Decimal
    funding: Decimal
    slippage: Decimal | None
    fills: int

    @property
    def net(self) -> Decimal:
        """Return what the trip added to the account, where prices and costs are in one currency; see `times`."""
        return self.realised - self.fees + self.funding

    def times(self, prices: Decimal, costs: Decimal) -> Trip:
        """Return the trip in another currency: one of its own is worth `prices`, one of the account's `costs`."""
        slippage = None if self.slippage is None else self.slippage * prices
        exit_price = None if self.exit_price is None else self.exit_price * prices
        return replace(
            self, entry_price=self.entry_price * prices, exit_price=exit_price, slippage=slippage,
            realised=self.realised * prices, fees=self.fees * costs, funding=self.funding * costs,
        )  # fmt: skip

    def as_trade(self) -> Trade:
        """Return a closed trip as backtests know it, so that their formulas serve here too."""
        if self.closed_at is None or self.exit_price is None:
            raise AssertionError("an open trip is no trade yet")
        return Trade(
            instrument=self.instrument, side=self.side, quantity=float(self.quantity),
            entered_ms=milliseconds(self.opened_at), entry_price=float(self.entry_price),
            exited_ms=milliseconds(self.closed_at), exit_price=float(self.exit_price), gross=float(self.realised),
            fees=float(self.fees), funding=float(self.funding), reason="",
        )  # fmt: skip


def trips_closed(accounts: Sequence[int], period: Period, strategy: str | None = None) -> list[Trip]:
    """Return the trips that ended within a period, oldest first, whenever they began."""
    since = beginning(accounts, period, strategy)
    parameters = {
        "accounts": list(accounts), "strategy": strategy, "since": since, "upto": "infinity", "until": period.end,
        "first": period.start,
    }  # fmt: skip
    closed = f"{TRIPS} WHERE t.closed AND t.closed_at >= %(first)s{ORDER}"
    return [_trip(row) for row in rows_of(closed, parameters)]


def trips_all(accounts: Sequence[int], period: Period, strategy: str | None = None) -> Iterator[Trip]:
    """Yield the trips that ended within a period, oldest first, and then those that were open at its end."""
    parameters = {
        "accounts": list(accounts), "strategy": strategy, "since": EARLIEST, "upto": "infinity", "until": period.end,
        "first": period.start,
    }  # fmt: skip
    wanted = f"{TRIPS} WHERE NOT t.closed OR t.closed_at >= %(first)s{ORDER}"
    return map(_trip, rows_streamed(wanted, parameters))


def _trip(row: Row) -> Trip:
    """Return a row as a trip. What was bought and what was sold are its two sides, whichever came first."""
    account_id, strategy, instrument, currency, closed, sign, opened_at, closed_at, *sums = row
    bought, bought_for, sold, sold_for, realised, fees, funding, slippage, fills = sums
    ins, outs = ((bought, bought_for), (sold, sold_for)) if sign > 0 else ((sold, sold_for), (bought, bought_for))
    return Trip(
        account_id=account_id, strategy=strategy, instrument=instrument, currency=currency,
        side=Side.BUY if sign > 0 else Side.SELL, opened_at=opened_at, closed_at=closed_at,
        quantity=ins[0], entry_price=ins[1] / ins[0], exit_price=outs[1] / outs[0] if outs[0] else None,
        # Closed, it is what came in less what went out, whatever order the ledger heard of it in.
        realised=sold_for - bought_for if closed else realised,
        fees=fees, funding=funding, slippage=slippage, fills=fills,
    )  # fmt: skip
