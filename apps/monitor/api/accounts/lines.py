"""Positions and fills as they are listed, and what both have in common with orders."""

from __future__ import annotations

from apps.monitor.api.lines import Lines, columns


def owned(table: str) -> str:
    """Return the SQL of whose something is, and in what."""
    return f"a.code AS account, {table}.strategy, i.venue_id || ':' || i.symbol AS instrument"


def joins(table: str) -> str:
    """Return the SQL that finds account and instrument of a row."""
    account = f"JOIN exchanges_account a ON a.id = {table}.account_id"
    return f"{account} JOIN exchanges_instrument i ON i.id = {table}.instrument_id"


_FILL = ("order_id", "side", "liquidity", "kind", "venue_trade_id")
FILLS = Lines(
    f"f.id, {owned('f')}, "
    + columns("f", _FILL, ("price", "quantity", "fee", "realised"), ("time_exchange", "time_received")),
    "exchanges_fill f",
    joins("f"),
)
POSITIONS = Lines(
    f"p.id, {owned('p')}, "
    + columns("p", (), ("quantity", "cost", "realised", "fees", "funding"), ("opened_at", "updated_at")),
    "exchanges_position p",
    joins("p"),
)


def about(lines: Lines, *, account: str | None, strategy: str | None, instrument: str | None) -> Lines:
    """Return the lines about an account, a strategy and an instrument, each by its name; None: about any."""
    chosen = lines.where_given(strategy=strategy)
    if account is not None:
        chosen = chosen.where("account_id = (SELECT id FROM exchanges_account WHERE code = %s)", account)
    if instrument is not None:
        venue, _, symbol = instrument.partition(":")
        one = "SELECT id FROM exchanges_instrument WHERE venue_id = %s AND symbol = %s"
        chosen = chosen.where(f"instrument_id = ({one})", venue, symbol)
    return chosen
