"""Trades from fills: what was opened, added to, reduced and closed between flat and flat is one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apps.strategies.backtest.fills import Fills
from apps.strategies.backtest.results import END_OF_DATA, Trade
from moondev.domain.market_data import Column
from moondev.domain.values import Side

# Positions are sums of floats: what is left below this share of the trade's size is rounding, not a position.
DUST = 1e-12


@dataclass(frozen=True, slots=True)
class Ledger:
    """Fills with what they paid and when; `funded` and `borrowed` is what was received and lent for before each.

    Both have a row more than there are fills: the sum at the end.
    """

    fills: Fills
    paid: Column
    fees: Column
    times: NDArray[np.int64]
    funded: Column
    borrowed: Column
    ended_ms: int
    last_close: float


@dataclass(slots=True)
class _Open:
    """A trade under way: sums of what was bought into it and taken out of it."""

    sign: float
    began: int
    funded: float
    borrowed: float
    held: float = 0.0
    entered: float = 0.0
    entry_money: float = 0.0
    left: float = 0.0
    exit_money: float = 0.0
    fees: float = 0.0

    def enter(self, size: float, price: float) -> None:
        self.held += size
        self.entered += size
        self.entry_money += size * price

    def leave(self, size: float, price: float) -> None:
        self.held -= size
        self.left += size
        self.exit_money += size * price


def round_trips(instrument: str, ledger: Ledger) -> Iterator[Trade]:
    """Yield trades oldest first. One fill that turns a position closes a trade and opens the next; fees are shared."""
    fills = ledger.fills
    funded, borrowed = ledger.funded.tolist(), ledger.borrowed.tolist()
    trade: _Open | None = None
    rows = zip(
        fills.change.tolist(), ledger.paid.tolist(), ledger.fees.tolist(), ledger.times.tolist(), fills.reasons,
        funded, borrowed, strict=False,
    )  # fmt: skip
    for change, price, fee, stamp, reason, received, lent in rows:
        size, sign = abs(change), 1.0 if change > 0 else -1.0
        rest, share = size, fee / size
        if trade is not None and sign != trade.sign:
            closing = min(size, trade.held)
            if trade.held - closing <= DUST * trade.entered:
                closing = trade.held
            rest = max(size - closing, 0.0)
            trade.fees += fee - rest * share
            trade.leave(closing, price)
            if trade.held > 0:
                continue
            yield _closed(instrument, trade, stamp, reason, received, lent)
            trade = None
        if rest <= DUST * size:
            continue
        if trade is None:
            trade = _Open(sign, stamp, received, lent)
        trade.fees += rest * share
        trade.enter(rest, price)
    if trade is not None:
        trade.leave(trade.held, ledger.last_close)
        yield _closed(instrument, trade, ledger.ended_ms, END_OF_DATA, funded[-1], borrowed[-1])


def _closed(instrument: str, trade: _Open, ended_ms: int, reason: str, funded: float, borrowed: float) -> Trade:
    return Trade(
        instrument=instrument,
        side=Side.BUY if trade.sign > 0 else Side.SELL,
        quantity=trade.entered,
        entered_ms=trade.began,
        entry_price=trade.entry_money / trade.entered,
        exited_ms=ended_ms,
        exit_price=trade.exit_money / trade.left,
        gross=trade.sign * (trade.exit_money - trade.entry_money),
        fees=trade.fees + borrowed - trade.borrowed,
        funding=funded - trade.funded,
        reason=reason,
    )
