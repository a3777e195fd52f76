"""Fills as rows: which are booked, which wait for their order, and how new ones are written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from apps.exchanges.accounts.facts import AccountFacts
from apps.exchanges.accounts.ledger import Asset
from apps.exchanges.bulk import Row, fetch, run, values_run
from moondev.domain.fills import FillKind, FillReport, Liquidity
from moondev.domain.values import Money, Price, Quantity, Side

# What stands for the rules of an instrument that was first heard of in a fill.
_FINEST = Decimal("1e-12")


@dataclass(frozen=True, slots=True)
class BookedFill:
    """A fill with its owner and what booking it has come to. `order_id` None is an orphan."""

    fill: FillReport
    asset: Asset
    order_id: int | None
    strategy: str
    fee: Decimal
    realised: Decimal
    slippage: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Orphan:
    """A fill that was booked before its order was known."""

    fill_id: int
    fill: FillReport
    asset: Asset
    strategy: str


def trades_known(account_id: int, trade_ids: Sequence[str]) -> frozenset[str]:
    """Return which of the venue's trades are booked already."""
    rows = fetch(
        "SELECT venue_trade_id FROM exchanges_fill WHERE account_id = %s AND venue_trade_id = ANY(%s)",
        (account_id, list(trade_ids)),
    )
    return frozenset(trade_id for (trade_id,) in rows)


def fills_insert(account_id: int, booked: Sequence[BookedFill]) -> None:
    """Write new fills. A fill that is there already is an error: the account's lock was not held."""
    values_run(
        "INSERT INTO exchanges_fill (account_id, instrument_id, order_id, strategy, venue_trade_id, venue_order_id,"
        " client_order_id, side, price, quantity, fee, realised, slippage, liquidity, kind, time_exchange,"
        " time_received)"
        " VALUES %s",
        [_row(account_id, item) for item in booked],
    )


def _row(account_id: int, item: BookedFill) -> Row:
    fill = item.fill
    return (
        account_id, item.asset.instrument_id, item.order_id, item.strategy, fill.venue_trade_id, fill.venue_order_id,
        fill.client_order_id, fill.side.value, fill.price.value, fill.quantity.value, item.fee, item.realised,
        item.slippage, fill.liquidity.value, fill.kind.value, fill.time_exchange, fill.time_received,
    )  # fmt: skip


def orphans_of(account: AccountFacts, venue_order_ids: Iterable[str]) -> list[Orphan]:
    """Return the orphans that name one of these ids, oldest first."""
    rows = fetch(
        "SELECT f.id, f.venue_trade_id, f.venue_order_id, f.client_order_id, i.symbol, f.side, f.price, f.quantity,"
        " f.fee, f.liquidity, f.time_exchange, f.time_received, f.kind, i.id, i.asset, f.strategy"
        " FROM exchanges_fill f JOIN exchanges_instrument i ON i.id = f.instrument_id"
        " WHERE f.account_id = %s AND f.order_id IS NULL AND f.venue_order_id = ANY(%s) ORDER BY f.time_exchange, f.id",
        (account.account_id, sorted(set(venue_order_ids))),
    )
    return [_orphan(row, account.currency) for row in rows]


def _orphan(row: Row, currency: str) -> Orphan:
    fill = FillReport(
        venue_trade_id=row[1],
        venue_order_id=row[2],
        client_order_id=row[3],
        symbol=row[4],
        side=Side(row[5]),
        price=Price(row[6]),
        quantity=Quantity(row[7]),
        fee=Money(row[8], currency),
        liquidity=Liquidity(row[9]),
        time_exchange=row[10],
        time_received=row[11],
        kind=FillKind(row[12]),
    )
    return Orphan(row[0], fill, Asset(row[13], row[14]), row[15])


def orphan_attach(orphan: Orphan, booked: BookedFill) -> None:
    """Give an orphan its order and owner; rare, so one statement each."""
    run(
        "UPDATE exchanges_fill SET order_id = %s, strategy = %s, realised = %s, slippage = %s"
        " WHERE id = %s AND order_id IS NULL",
        (booked.order_id, booked.strategy, booked.realised, booked.slippage, orphan.fill_id),
    )


def filled_under(order_id: int, venue_order_id: str) -> Decimal:
    """Return how much of an order has filled under one of the venue's ids for it."""
    rows = fetch(
        "SELECT COALESCE(SUM(quantity), 0) FROM exchanges_fill WHERE order_id = %s AND venue_order_id = %s",
        (order_id, venue_order_id),
    )
    return Decimal(rows[0][0])


def assets_by_symbol(account: AccountFacts, symbols: Iterable[str]) -> tuple[dict[str, Asset], frozenset[str]]:
    """Return instruments by the venue's symbols, and which of them had to be made.

    Money moves whether or not we list what it moved in, so an unknown symbol gets an inactive row.
    """
    wanted = sorted(set(symbols))
    found = _assets(account.venue, wanted)
    unlisted = [symbol for symbol in wanted if symbol not in found]
    if unlisted:
        values_run(
            "INSERT INTO exchanges_instrument (venue_id, symbol, asset, quote, venue_asset_id, tick, lot, min_notional,"
            " max_leverage, active) VALUES %s ON CONFLICT DO NOTHING",
            [(account.venue, s, s[:20], account.currency, "", _FINEST, _FINEST, 0, 1, False) for s in unlisted],
        )
        found = _assets(account.venue, wanted)
    return found, frozenset(unlisted)


def _assets(venue: str, symbols: Sequence[str]) -> dict[str, Asset]:
    rows = fetch(
        "SELECT symbol, id, asset FROM exchanges_instrument WHERE venue_id = %s AND symbol = ANY(%s)",
        (venue, list(symbols)),
    )
    return {symbol: Asset(instrument_id, asset) for symbol, instrument_id, asset in rows}
