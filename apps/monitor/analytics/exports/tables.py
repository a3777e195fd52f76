"""Exports that are tables of the database as they are: orders, fills, the ledger, positions, equity."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from apps.monitor.analytics.exports.columns import Export, Holds, Row, Wanted, columns
from apps.monitor.analytics.reading import rows_streamed

T, W, A, N, M = Holds.TEXT, Holds.WHOLE, Holds.AMOUNT, Holds.NUMBER, Holds.MOMENT


def _table(kind: str, wanted: Wanted) -> Iterator[Row]:
    sql = Path(__file__).with_name(f"{kind}.sql").read_text(encoding="utf-8")
    chosen = {"account": wanted.account, "strategy": wanted.strategy}
    return rows_streamed(sql, chosen | {"start": wanted.period.start, "end": wanted.period.end})


ORDERS = Export(
    "orders", 1, "Orders by when they were planned, with how they ended.",
    columns(
        id=W, created_at=M, account=T, strategy=T, instrument=T, currency=T, side=T, order_type=T, time_in_force=T,
        purpose=T, quantity=A, price=A, trigger_price=A, arrival_price=A, status=T, filled_quantity=A,
        filled_notional=A, refusal_code=T, reason=T, client_order_id=T, venue_order_id=T, signal_id=T, sent_at=M,
        acknowledged_at=M, closed_at=M,
    ),
    lambda wanted: _table("orders", wanted),
)  # fmt: skip
FILLS = Export(
    "fills", 1, "Trades of ours by when they were made, with what they cost and realised.",
    columns(
        id=W, at=M, account=T, strategy=T, instrument=T, currency=T, side=T, quantity=A, price=A, notional=A, fee=A,
        fee_currency=T, realised=A, slippage=A, liquidity=T, kind=T, order_id=W, venue_trade_id=T, venue_order_id=T,
        received_at=M,
    ),
    lambda wanted: _table("fills", wanted),
)  # fmt: skip
LEDGER = Export(
    "ledger",
    1,
    "Every entry that moved money or a position: transfers, trades, fees, funding, handovers.",
    columns(
        at=M, account=T, strategy=T, instrument=T, entry=T, quantity=A, price=A, amount=A, currency=T, reference=T, id=W
    ),
    lambda wanted: _table("ledger", wanted),
)
POSITIONS = Export(
    "positions", 1, "What every owner holds now, whatever the period, and has made in all.",
    columns(
        account=T, strategy=T, instrument=T, currency=T, quantity=A, cost=A, realised=A, fees=A, funding=A,
        fee_currency=T, slippage=A, opened_at=M, updated_at=M,
    ),
    lambda wanted: _table("positions", wanted),
)  # fmt: skip
EQUITY = Export(
    "equity",
    1,
    "Points of equity as the guard kept them: of strategies, accounts, portfolios and everything.",
    columns(scope=T, at=M, equity=N, funded=N, growth=N, run=W),
    lambda wanted: _table("equity", wanted),
)
