"""Adds up what the closed trades of strategies returned, for those that Kelly sizes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from apps.exchanges.models import Fill, Position
from apps.risk.models import Sizing, StrategyTrades
from apps.risk.sizing.kelly import TradeRecord, record_of
from apps.risk.sizing.returns import Returns
from apps.risk.sizing.rule import SizingMethod
from moondev.domain.portfolio import Holding
from moondev.domain.values import ZERO, Price, Quantity, Side

# The newest fills of a strategy that are looked at: what it did a long time ago says little about what it does now.
MOST_FILLS = 5_000


@dataclass(frozen=True, slots=True)
class OwnFill:
    """What a fill changes."""

    side: Side
    quantity: Decimal
    price: Decimal
    fee: Decimal


def trades_update(now: datetime) -> int:
    """Write the record of every strategy that Kelly sizes anew; return how many there are."""
    strategies = list(Sizing.objects.filter(method=SizingMethod.KELLY).values_list("strategy", flat=True))
    rows = [_row(strategy, record_of(_returns(strategy)), now) for strategy in strategies]
    StrategyTrades.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["strategy"], update_fields=["count", "mean", "mean_square", "at"]
    )
    return len(rows)


def returns_of(fills: Iterable[OwnFill], held_now: Decimal) -> list[float]:
    """Return what each trade of one market returned, oldest first; `held_now` is what the last fill left.

    A trade that began before the first of the fills is left out: nobody knows what it cost. Funding is not counted.
    """
    known = list(fills)
    held = held_now - sum((fill.quantity * fill.side.sign for fill in known), ZERO)
    holding, returns = Holding(), Returns()
    for fill in known:
        if held:
            held += fill.quantity * fill.side.sign
            continue
        before = holding
        holding = before.filled(fill.side, Quantity(fill.quantity), Price(fill.price), fill.fee)
        returns.saw(before, holding)
    return returns.taken()


def _returns(strategy: str) -> Iterator[float]:
    newest = Fill.objects.filter(strategy=strategy).order_by("-time_exchange", "-pk")
    rows = newest.values_list("account_id", "instrument_id", "side", "quantity", "price", "fee")[:MOST_FILLS]
    markets: defaultdict[tuple[int, int], list[OwnFill]] = defaultdict(list)
    for account, instrument, side, quantity, price, fee in reversed(rows):
        markets[account, instrument].append(OwnFill(Side(side), quantity, price, fee))
    held = _held(strategy)
    for market, fills in sorted(markets.items()):
        yield from returns_of(fills, held.get(market, ZERO))


def _held(strategy: str) -> dict[tuple[int, int], Decimal]:
    rows = Position.objects.filter(strategy=strategy).values_list("account_id", "instrument_id", "quantity")
    return {(account, instrument): quantity for account, instrument, quantity in rows}


def _row(strategy: str, record: TradeRecord, now: datetime) -> StrategyTrades:
    return StrategyTrades(
        strategy=strategy, count=record.count, mean=record.mean, mean_square=record.mean_square, at=now
    )
