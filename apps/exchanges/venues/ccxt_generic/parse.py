"""ccxt's unified structures as domain values. Pure: what does not fit is an error, nothing is guessed.

Amounts of orders and trades are in contracts there, and in base currency here.
https://docs.ccxt.com/#/README?id=order-structure
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5

import ccxt
import numpy as np

from apps.exchanges.ports import (
    AccountSnapshot,
    FundingPayment,
    Listing,
    ParseError,
    PositionSnapshot,
    ReportSource,
    RestingOrder,
)
from apps.exchanges.venues.rows import reading
from moondev.domain.clock import from_milliseconds
from moondev.domain.errors import InvalidValue
from moondev.domain.fills import FillReport, Liquidity
from moondev.domain.instruments import Instrument, PriceGrid
from moondev.domain.market_data import BarSeries, Book, BookLevel, TradeTick
from moondev.domain.orders import OrderReport, OrderStatus
from moondev.domain.values import ZERO, Money, Price, Quantity, Side, SignedQuantity, finite_decimal

Row = Mapping[str, Any]
# The venue's symbol and the size of a contract, by ccxt's symbol.
Contracts = Callable[[object], tuple[str, Decimal]]

_ENDS = {
    "canceled": OrderStatus.CANCELLED,
    "expired": OrderStatus.EXPIRED,
    "rejected": OrderStatus.REJECTED,
}
_CLIENT_ID_DIGITS = 32
# As long as our books keep the name of a trade.
_NAME_CHARACTERS = 64
_SMALLEST = Decimal("1e-12")


@contextmanager
def unified(what: str, evidence: object) -> Iterator[None]:
    """Turn every error of reading `evidence` into a ParseError that shows it.

    These structures have no types: a field of another shape shows as an error of Python's.
    """
    with reading(what, evidence):
        try:
            yield
        except (TypeError, AttributeError, LookupError) as error:
            raise ValueError(f"a field of another shape: {error}") from error


def field(row: Row, name: str) -> Any:  # noqa: ANN401 - any JSON
    """Return what `row` says of `name`. Raises InvalidValue when it says nothing."""
    value = row.get(name)
    if value is None:
        raise InvalidValue(name, None, "a value")
    return value


def number(row: Row, name: str) -> Decimal:
    """Return a number of `row`. Raises InvalidValue."""
    return finite_decimal(name, field(row, name))


def stamp(row: Row) -> datetime:
    """Return the time of `row`. Raises InvalidValue when it has none."""
    return from_milliseconds(float(field(row, "timestamp")))


def client_order_id(text: object) -> UUID | None:
    """Return our client order id; None for an order that is not ours."""
    digits = str(text or "")
    if len(digits) != _CLIENT_ID_DIGITS or any(digit not in "0123456789abcdef" for digit in digits):
        return None
    return UUID(hex=digits)


def contract_size(market: Row) -> Decimal:
    """Return how much base currency one contract is."""
    return finite_decimal("contractSize", market.get("contractSize") or 1)


def listing(market: Row, venue: str, precision_mode: int) -> Listing:
    """Return an instrument with its rules."""
    with unified("market", market):
        limits = field(market, "limits")
        precision = field(market, "precision")
        instrument = Instrument(
            venue=venue,
            symbol=str(field(market, "id")),
            asset=str(field(market, "base")),
            quote=str(field(market, "settle")),
            price_grid=_grid(field(precision, "price"), precision_mode),
            lot=Quantity(_step(field(precision, "amount"), precision_mode) * contract_size(market)),
            min_notional=Money(_least(limits, "cost"), str(field(market, "settle"))),
            max_leverage=max(1, int(Decimal(str((limits.get("leverage") or {}).get("max") or 1)))),
            max_market_quantity=_largest(limits, contract_size(market)),
        )
        return Listing(instrument, 0)


def _grid(precision: object, mode: int) -> PriceGrid:
    if mode == ccxt.SIGNIFICANT_DIGITS:
        return PriceGrid(_SMALLEST, int(str(precision)))
    return PriceGrid(_step(precision, mode))


def _step(precision: object, mode: int) -> Decimal:
    value = finite_decimal("precision", precision)
    return value.normalize() if mode == ccxt.TICK_SIZE else Decimal(1).scaleb(-int(value))


def _least(limits: Row, name: str) -> Decimal:
    return finite_decimal(name, (limits.get(name) or {}).get("min") or 0)


def _largest(limits: Row, contract: Decimal) -> Quantity | None:
    """Return the largest market order; where no such limit is told, the largest of any kind."""
    for name in ("market", "amount"):
        most = finite_decimal(name, (limits.get(name) or {}).get("max") or 0)
        if most > 0:
            return Quantity(most * contract)
    return None


def order_report(order: Row, contracts: Contracts, source: ReportSource, received: datetime) -> OrderReport:
    """Return what an order structure says. The status is None where the exchange does not tell it."""
    with unified("order", order):
        size = contracts(order.get("symbol"))[1] if order.get("filled") is not None else ZERO
        filled = None if order.get("filled") is None else Quantity(number(order, "filled") * size)
        return OrderReport(
            source=source,
            client_order_id=client_order_id(order.get("clientOrderId")),
            venue_order_id=str(field(order, "id")),
            status=_status(order),
            time_exchange=None,
            time_received=received,
            filled_quantity=filled,
            reason=str(order.get("status") or ""),
        )


def _status(order: Row) -> OrderStatus | None:
    said = order.get("status")
    if said is None or said in _ENDS:
        return None if said is None else _ENDS[said]
    filled = ZERO if order.get("filled") is None else number(order, "filled")
    if said == "open":
        return OrderStatus.PARTIALLY_FILLED if filled else OrderStatus.OPEN
    if said == "closed":
        # "Closed" is what some call the rest of an immediate order that found too little.
        return OrderStatus.FILLED if filled >= number(order, "amount") else OrderStatus.CANCELLED
    raise InvalidValue("status", said, f"open, closed, {', '.join(_ENDS)}")


def resting_order(order: Row, contracts: Contracts) -> RestingOrder:
    """Return a live order. Raises ParseError."""
    with unified("open order", order):
        symbol, size = contracts(order.get("symbol"))
        quantity = number(order, "amount") * size
        filled = ZERO if order.get("filled") is None else number(order, "filled") * size
        trigger = order.get("triggerPrice")
        return RestingOrder(
            symbol=symbol,
            venue_order_id=str(field(order, "id")),
            client_order_id=client_order_id(order.get("clientOrderId")),
            side=Side(field(order, "side")),
            price=Price(finite_decimal("price", order.get("price") or trigger)),
            quantity=Quantity(quantity.normalize()),
            remaining=Quantity((quantity - filled).normalize()),
            reduce_only=bool(order.get("reduceOnly")),
            trigger_price=None if not trigger else Price(finite_decimal("triggerPrice", trigger)),
            time_exchange=stamp(order),
        )


def fill(trade: Row, contracts: Contracts, received: datetime) -> FillReport:
    """Return one trade of ours."""
    symbol, size = contracts(trade.get("symbol"))
    fee = field(trade, "fee")
    return FillReport(
        venue_trade_id=_trade_name(symbol, str(field(trade, "id")), Side(field(trade, "side"))),
        venue_order_id=str(field(trade, "order")),
        client_order_id=None,
        symbol=symbol,
        side=Side(field(trade, "side")),
        price=Price(number(trade, "price")),
        quantity=Quantity((number(trade, "amount") * size).normalize()),
        fee=Money(number(fee, "cost"), str(field(fee, "currency"))),
        liquidity=Liquidity(field(trade, "takerOrMaker")),
        time_exchange=stamp(trade),
        time_received=received,
    )


def _trade_name(symbol: str, trade_id: str, side: Side) -> str:
    """Return a name that no other trade of ours has: some exchanges count per symbol, some give both ends one id."""
    name = f"{symbol}-{trade_id}-{side.value}"
    return name if len(name) <= _NAME_CHARACTERS else str(uuid5(NAMESPACE_OID, name))


def funding_payment(row: Row, contracts: Contracts, received: datetime, sign: int) -> FundingPayment:
    """Return one funding payment, positive when received; `sign` makes it so. ccxt tells neither rate nor position."""
    return FundingPayment(
        symbol=contracts(row.get("symbol"))[0],
        amount=Money(sign * number(row, "amount"), str(field(row, "code"))),
        rate=ZERO,
        position=SignedQuantity(ZERO),
        time_exchange=stamp(row),
        time_received=received,
    )


def position(row: Row, contracts: Contracts, currency: str) -> PositionSnapshot | None:
    """Return one position; None when it is empty."""
    if not finite_decimal("contracts", row.get("contracts") or 0):
        return None
    symbol, size = contracts(row.get("symbol"))
    quantity = number(row, "contracts") * size * Side({"long": "buy", "short": "sell"}[field(row, "side")]).sign
    mark = number(row, "markPrice")
    entry = row.get("entryPrice")
    return PositionSnapshot(
        symbol=symbol,
        quantity=SignedQuantity(quantity.normalize()),
        entry_price=None if not entry else Price(finite_decimal("entryPrice", entry)),
        mark_price=Price(mark),
        value=Money(quantity * mark, currency),
        unrealised=Money(number(row, "unrealizedPnl"), currency),
        leverage=int(Decimal(str(row.get("leverage") or 1))),
    )


def account_snapshot(
    balance: Row, positions: Sequence[PositionSnapshot], currency: str, received: datetime, *, with_open_profit: bool
) -> AccountSnapshot:
    """Return an account's worth. `with_open_profit`: the total of the balance holds it already."""
    with unified("balance", balance):
        mine = balance.get(currency) or {"total": 0, "free": 0, "used": 0}
        equity = Money(number(mine, "total"), currency)
        if not with_open_profit:
            for held in positions:
                equity = equity + held.unrealised
        free = Money(finite_decimal("free", mine.get("free") or 0), currency)
        used = Money(finite_decimal("used", mine.get("used") or 0), currency)
        return AccountSnapshot(equity, free, used, tuple(positions), None, received)


def book(answer: Row, received: datetime) -> Book:
    """Return an order book. The exchange's own time where it has one, ours else."""
    with unified("order book", answer):
        said = answer.get("timestamp")
        bids = sorted(_levels(field(answer, "bids")), key=lambda level: -level.price)
        asks = sorted(_levels(field(answer, "asks")), key=lambda level: level.price)
        return Book(tuple(bids), tuple(asks), from_milliseconds(said) if said else received, received)


def _levels(items: Sequence[Sequence[object]]) -> list[BookLevel]:
    levels = []
    for item in items:
        # ccxt makes floats of them whatever it is told, and so does everybody who looks at a book.
        price, size = (float(finite_decimal("level", str(part))) for part in item[:2])
        if price <= 0 or size < 0:
            raise InvalidValue("level", item, "a price above 0 and a size")
        if size:
            levels.append(BookLevel(price, size))
    return levels


def trade(row: Row, symbol: str, received: datetime) -> TradeTick:
    """Return one public trade."""
    price, size = float(Price(number(row, "price")).value), float(Quantity(number(row, "amount")).value)
    return TradeTick(symbol, str(field(row, "id")), Side(field(row, "side")), price, size, stamp(row), received)


def candles(answer: Sequence[Sequence[object]], interval: timedelta) -> BarSeries:
    """Return bars, oldest first, each once."""
    with unified("candles", answer):
        by_stamp = {
            int(float(str(bar[0]))): [float(finite_decimal("bar", part)) for part in bar[1:6]] for bar in answer
        }
        stamps = np.array(sorted(by_stamp), dtype=np.int64)
        columns = np.array([by_stamp[int(at)] for at in stamps], dtype=np.float64).reshape(len(stamps), 5).T
        return BarSeries(interval, stamps, *columns)


def mark_price(ticker: Row) -> Price | None:
    """Return the mark price of a ticker; None when it has none."""
    said = ticker.get("markPrice")
    return None if not said else Price(finite_decimal("markPrice", said))


def several(what: str, answer: object, read: Callable[[Row], Any]) -> tuple[list[Any], list[ParseError]]:
    """Return what `read` makes of each row of a list, and what is wrong with the rows it cannot read."""
    if not isinstance(answer, list):
        raise ParseError(what, "not a list", answer)
    good, bad = [], []
    for row in answer:
        try:
            with unified(what, row):
                good.append(read(row))
        except ParseError as error:
            bad.append(error)
    return good, bad
