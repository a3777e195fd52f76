"""Binance's accounts and instruments as domain values. Pure: text in, domain out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from functools import partial
from typing import Any

from apps.exchanges.ports import AccountSnapshot, Listing, PositionSnapshot
from apps.exchanges.venues.binance.config import QUOTE_CURRENCY
from apps.exchanges.venues.binance.messages import AccountAnswer, AssetRow, ExchangeInfo, PositionRow, SymbolRow
from apps.exchanges.venues.binance.parse import decoded, number
from apps.exchanges.venues.rows import Rows, reading, rows
from moondev.domain.errors import InvalidValue
from moondev.domain.instruments import Instrument, PriceGrid
from moondev.domain.values import Money, Price, Quantity, SignedQuantity

_MARK_PLACES = Decimal("1e-8")
_PERPETUAL, _TRADING = "PERPETUAL", "TRADING"
_NOTHING = AssetRow(QUOTE_CURRENCY, "0", "0", "0")


def account_snapshot(text: str, received: datetime) -> AccountSnapshot:
    """Return the account of a v3/account answer: what it holds in USDT, positions included.

    Everything comes from one answer, so that equity and positions are of one moment. Entry price, mark and leverage
    are not told there; they follow from what is. Other currencies of the account are not counted.
    """
    answer = decoded("account", text, AccountAnswer)
    with reading("account", text):
        held = next((row for row in answer.assets if row.asset == QUOTE_CURRENCY), _NOTHING)
        return AccountSnapshot(
            equity=_money("marginBalance", held.marginBalance),
            withdrawable=_money("availableBalance", held.availableBalance),
            margin_used=_money("initialMargin", held.initialMargin),
            positions=tuple(_position(row) for row in answer.positions if number("positionAmt", row.positionAmt)),
            time_exchange=None,
            time_received=received,
        )


def symbols_in_use(text: str) -> frozenset[str]:
    """Return the symbols of a v3/account answer: it has a row for each in which there are orders or a position."""
    return frozenset(row.symbol for row in decoded("account", text, AccountAnswer).positions)


def listings(text: str, venue_code: str) -> Rows[Listing]:
    """Return the perpetuals of exchangeInfo that trade, margined in USDT; their number is their place in the list."""
    items = decoded("instruments", text, ExchangeInfo).symbols
    numbered = [(place, item) for place, item in enumerate(items) if _is_ours(item)]
    by_row = [
        rows("instrument", [item], SymbolRow, partial(_listing, venue_code=venue_code, place=place))
        for place, item in numbered
    ]
    return Rows(
        tuple(listing for row in by_row for listing in row.read),
        tuple(error for row in by_row for error in row.unreadable),
    )


def _position(row: PositionRow) -> PositionSnapshot:
    if row.positionSide != "BOTH":
        # Two positions in one symbol cannot be told apart here; refusing is better than adding them up.
        raise InvalidValue("positionSide", row.positionSide, "BOTH: the account must be in one-way mode")
    quantity, worth = number("positionAmt", row.positionAmt), number("notional", row.notional)
    gain, margin = number("unrealizedProfit", row.unrealizedProfit), number("initialMargin", row.initialMargin)
    return PositionSnapshot(
        symbol=row.symbol,
        quantity=SignedQuantity(quantity),
        entry_price=Price(((worth - gain) / quantity).quantize(_MARK_PLACES, ROUND_HALF_EVEN).normalize()),
        mark_price=Price((worth / quantity).quantize(_MARK_PLACES, ROUND_HALF_EVEN).normalize()),
        value=Money(worth, QUOTE_CURRENCY),
        unrealised=Money(gain, QUOTE_CURRENCY),
        leverage=max(1, round(abs(worth) / margin)) if margin else 1,
    )


def _is_ours(item: object) -> bool:
    """Return whether an entry is, or may be, a perpetual of ours that trades; the reader refuses what is odd."""
    if not isinstance(item, dict):
        return True
    rule = (item.get("contractType"), item.get("status"), item.get("quoteAsset"), item.get("marginAsset"))
    return rule == (_PERPETUAL, _TRADING, QUOTE_CURRENCY, QUOTE_CURRENCY) or None in rule


def _listing(row: SymbolRow, venue_code: str, place: int) -> Listing:
    return Listing(_instrument(row, venue_code), place)


def _instrument(row: SymbolRow, venue_code: str) -> Instrument:
    tick, lot, least = (
        _rule(row.filters, kind, field)
        for kind, field in (("PRICE_FILTER", "tickSize"), ("LOT_SIZE", "stepSize"), ("MIN_NOTIONAL", "notional"))
    )
    return Instrument(
        venue=venue_code,
        symbol=row.symbol,
        asset=row.baseAsset,
        quote=row.quoteAsset,
        price_grid=PriceGrid(tick.normalize()),
        lot=Quantity(lot.normalize()),
        min_notional=Money(least, row.quoteAsset),
        max_market_quantity=_largest(row.filters),
        # How far leverage goes the venue tells only with a key, and refuses what is too much.
    )


def _largest(filters: Sequence[Any]) -> Quantity | None:
    """Return the largest market order; above it Binance answers -4005, also when it closes a position.

    Source: https://developers.binance.com/docs/derivatives/usds-margined-futures/common-definition
    """
    told = (rule.maxQty for rule in filters if rule.filterType == "MARKET_LOT_SIZE" and rule.maxQty is not None)
    most = next((number("maxQty", text) for text in told), Decimal(0))
    return Quantity(most.normalize()) if most else None


def _rule(filters: Sequence[Any], kind: str, field: str) -> Decimal:
    for rule in filters:
        if rule.filterType == kind and getattr(rule, field) is not None:
            return number(field, getattr(rule, field))
    raise InvalidValue("filters", [rule.filterType for rule in filters], f"{kind} with {field}")


def _money(field: str, text: str) -> Money:
    return Money(number(field, text), QUOTE_CURRENCY)
