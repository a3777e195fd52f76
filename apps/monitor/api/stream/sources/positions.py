"""Topic ``positions``: what each strategy holds, marked to the newest price in the cache."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from apps.exchanges.market_data.cache import NEVER_HEARD, MarketCache, Wanted, process_redis
from apps.exchanges.models import Position
from apps.monitor.api.stream.sources.words import amount, moment
from apps.monitor.api.stream.table import Row, Rows
from moondev.domain.clock import Clock
from moondev.domain.errors import Connectivity


def read_positions(_words: tuple[str, ...], clock: Clock) -> Rows:
    """Return open positions by account, strategy and instrument. Without a mark, what depends on it is not known."""
    rows = list(Position.objects.exclude(quantity=0).select_related("account", "instrument").order_by("pk"))
    marks = _marks({row.instrument.key for row in rows}, clock.now())
    return {
        f"{row.account.code}/{row.strategy}/{row.instrument.key}": _row(row, marks.get(row.instrument.key))
        for row in rows
    }


def _marks(keys: set[str], now: datetime) -> Mapping[str, Decimal]:
    try:
        views = MarketCache(process_redis()).views({key: Wanted(book=False) for key in sorted(keys)}, now)
    except Connectivity:
        return {}
    prices = {key: views.get(key, NEVER_HEARD).mark_price for key in keys}
    return {key: Decimal(repr(float(price))) for key, price in prices.items() if price is not None and price > 0}


def _row(position: Position, mark: Decimal | None) -> Row:
    entry = position.cost / position.quantity
    open_profit = None if mark is None else (mark - entry) * position.quantity
    return {
        "strategy": position.strategy,
        "account": position.account.code,
        "venue": position.account.venue_id,
        "symbol": position.instrument.symbol,
        "asset": position.instrument.asset,
        "currency": position.account.currency,
        "quantity": amount(position.quantity),
        "entry": amount(round(entry, 8)),
        "mark": amount(mark),
        "notional": None if mark is None else amount(round(abs(position.quantity) * mark, 8)),
        "unrealised": None if open_profit is None else amount(round(open_profit, 8)),
        "realised": amount(position.realised),
        "fees": amount(position.fees),
        "funding": amount(position.funding),
        "opened": moment(position.opened_at),
    }
