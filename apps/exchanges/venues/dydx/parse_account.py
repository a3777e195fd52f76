"""What an account of the indexer's is worth, holds and was paid. Pure: JSON in, domain out; see `parse`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Context, Decimal

from apps.exchanges.ports import AccountSnapshot, FundingPayment, PositionNews, PositionSnapshot
from apps.exchanges.venues.dydx.config import QUOTE_CURRENCY
from apps.exchanges.venues.dydx.messages import (
    AssetMessage,
    FundingPaymentMessage,
    FundingPaymentsMessage,
    PositionMessage,
    SubaccountAnswer,
    SubaccountMessage,
)
from apps.exchanges.venues.dydx.parse import decoded, moment, number
from apps.exchanges.venues.rows import Rows, reading, rows
from moondev.domain.errors import InvalidValue
from moondev.domain.values import Money, Price, Quantity, SignedQuantity

# Oracle prices have at most so many figures; what a division adds behind them is not the venue's word.
_PRICE_FIGURES = Context(prec=15)
# By how much the parts of an account may miss its whole, in quote currency: the venue rounds average prices.
_TOLERANCE = Decimal("0.000001")


def account_snapshot(answer: str, leverage: Mapping[str, int], received: datetime) -> AccountSnapshot:
    """Return an account: worth, and positions at the oracle price, which is what the chain values them at.

    The venue does not name that price here. It follows from a position's unrealised profit and average price, of which
    the latter is rounded far behind the point; what that leaves over goes to the largest position, so that cash and
    values add up to the equity the venue states, to the last decimal. Raises ParseError when they miss it by more.
    """
    with reading("subaccount", answer):
        message = decoded("subaccount", answer, SubaccountAnswer).subaccount
        equity = number("equity", message.equity)
        cash = sum((asset_amount(asset) for asset in message.assetPositions.values()), Decimal(0))
        positions = [
            _position(held, leverage) for held in message.openPerpetualPositions.values() if held.status == "OPEN"
        ]
        positions = _reconciled(positions, equity - cash)
        free = number("freeCollateral", message.freeCollateral)
        return AccountSnapshot(
            equity=Money(equity, QUOTE_CURRENCY),
            withdrawable=Money(max(free, Decimal(0)), QUOTE_CURRENCY),
            margin_used=Money(equity - free, QUOTE_CURRENCY),
            positions=tuple(positions),
            time_exchange=None,
            time_received=received,
        )


def asset_amount(message: AssetMessage) -> Decimal:
    """Return what an account has of an asset; below zero when it owes it. Raises InvalidValue for any but USDC."""
    if message.symbol != QUOTE_CURRENCY:
        raise InvalidValue("symbol", message.symbol, QUOTE_CURRENCY)
    amount = Quantity(number("size", message.size)).value
    return amount if message.side == "LONG" else -amount


def position_news(message: PositionMessage, received: datetime) -> PositionNews:
    """Return a position of the stream."""
    size = number("size", message.size) if message.status == "OPEN" else Decimal(0)
    return PositionNews(message.market, SignedQuantity(size), None, received)


def first_positions(message: SubaccountMessage, received: datetime) -> tuple[PositionNews, ...]:
    """Return every position an account's stream begins with."""
    return tuple(position_news(held, received) for held in message.openPerpetualPositions.values())


def funding_payments(answer: str, received: datetime) -> Rows[FundingPayment]:
    """Return the funding payments of an answer, newest first; positive when received."""
    items = decoded("funding payments", answer, FundingPaymentsMessage).fundingPayments
    return rows("funding payment", items, FundingPaymentMessage, lambda message: _funding(message, received))


def _funding(message: FundingPaymentMessage, received: datetime) -> FundingPayment:
    return FundingPayment(
        symbol=message.ticker,
        amount=Money(number("payment", message.payment), QUOTE_CURRENCY),
        rate=number("rate", message.rate),
        position=SignedQuantity(number("size", message.size)),
        time_exchange=moment("createdAt", message.createdAt),
        time_received=received,
    )


def _position(message: PositionMessage, leverage: Mapping[str, int]) -> PositionSnapshot:
    if message.entryPrice is None or message.unrealizedPnl is None:
        raise InvalidValue("entryPrice", message.entryPrice, "an average price, and an unrealised profit beside it")
    size, entry = number("size", message.size), number("entryPrice", message.entryPrice)
    profit = number("unrealizedPnl", message.unrealizedPnl)
    if not size:
        raise InvalidValue("size", message.size, "a number other than 0")
    mark = _PRICE_FIGURES.plus((profit + size * entry) / size).normalize()
    value = size * mark
    return PositionSnapshot(
        symbol=message.market,
        quantity=SignedQuantity(size),
        entry_price=Price(entry),
        mark_price=Price(mark),
        value=Money(value, QUOTE_CURRENCY),
        unrealised=Money(profit, QUOTE_CURRENCY),
        leverage=leverage.get(message.market, 1),
    )


def _reconciled(positions: list[PositionSnapshot], worth: Decimal) -> list[PositionSnapshot]:
    """Return positions whose values add up to `worth`. Raises InvalidValue when they are further off than rounding."""
    missing = worth - sum((held.value.value for held in positions), Decimal(0))
    if not missing:
        return positions
    if not positions or abs(missing) > _TOLERANCE:
        raise InvalidValue("equity", worth, f"what the positions are worth, {worth - missing:f}")
    largest = max(range(len(positions)), key=lambda index: abs(positions[index].value.value))
    adjusted = positions[largest]
    positions[largest] = replace(adjusted, value=Money(adjusted.value.value + missing, QUOTE_CURRENCY))
    return positions
