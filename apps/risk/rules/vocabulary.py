"""The words of a rule, and what each means. What is not known has no value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from types import MappingProxyType

from moondev.domain.values import Price

Value = str | float | int


@dataclass(frozen=True, slots=True)
class Word:
    """One word: its meaning with the unit, and a value to try a rule with."""

    meaning: str
    sample: Value


WORDS: Mapping[str, Word] = MappingProxyType(
    {
        "instrument": Word("key of the instrument", "hyperliquid:BTC"),
        "asset": Word("base coin", "BTC"),
        "venue": Word("code of the venue", "hyperliquid"),
        "side": Word("'buy' or 'sell'", "buy"),
        "quantity": Word("base currency", 0.1),
        "price": Word("limit price, quote currency", 50_000.0),
        "notional": Word("quantity x price, quote currency", 5_000.0),
        "added": Word("by how much it raises what may come to be held, quote currency", 5_000.0),
        "mid": Word("middle of the book, quote currency", 50_010.0),
        "distance_bps": Word("distance of the price from the mid, basis points", 2.0),
        "age_ms": Word("age of the market data, milliseconds", 120.0),
        "position": Word("what the strategy holds of it before, base currency, below zero is short", 0.0),
        "gross": Word("what the strategy holds in all after it, quote currency", 12_000.0),
        "strategy": Word("slug of the strategy", "turtle-btc"),
        "strategy_equity": Word("what the strategy is worth, account's currency", 10_000.0),
        "strategy_drawdown": Word("its fall from the peak, a share", 0.02),
        "account_equity": Word("what the account is worth, its currency", 100_000.0),
        "portfolio_equity": Word("what the portfolio is worth, its currency", 100_000.0),
        "portfolio_drawdown": Word("its fall from the peak, a share", 0.01),
        "hour": Word("hour of the day, UTC, 0 to 23", 14),
        "weekday": Word("day of the week, UTC, 1 is Monday and 7 is Sunday", 3),
    }
)


def distance_bps(price: Decimal, mid: Decimal | None) -> Decimal | None:
    """Return the distance of a price from the mid in basis points; None without a mid."""
    return None if mid is None or mid <= 0 else Price(mid).distance_bps(Price(price)).value


def moment(now: datetime) -> dict[str, Value]:
    """Return hour and weekday in UTC."""
    at = now.astimezone(UTC)
    return {"hour": at.hour, "weekday": at.isoweekday()}


def plain(known: Mapping[str, Value | Decimal | None]) -> dict[str, Value]:
    """Return what is known as the language knows it: amounts as floats, and nothing for what is not known."""
    return {
        name: float(value) if isinstance(value, Decimal) else value
        for name, value in known.items()
        if value is not None
    }
