"""The values of a rule's words for one order under review."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from apps.risk.checks.candidate import Candidate
from apps.risk.rules.vocabulary import Value, distance_bps, moment, plain


def values_of(candidate: Candidate, now: datetime) -> dict[str, Value]:
    """Return what is known of an order under review, by word."""
    facts, instrument = candidate.facts, candidate.instrument
    known: dict[str, Value | Decimal | None] = {
        "instrument": instrument.key,
        "asset": instrument.asset,
        "venue": instrument.venue,
        "side": candidate.side.value,
        "quantity": candidate.quantity.value,
        "price": candidate.price.value,
        "notional": candidate.notional,
        "added": candidate.added_exposure,
        "mid": candidate.mid,
        "distance_bps": distance_bps(candidate.price.value, candidate.mid),
        "age_ms": None if candidate.age is None else candidate.age.total_seconds() * 1000,
        "position": candidate.held,
        "gross": candidate.tally.gross + candidate.added_exposure,
        "strategy": facts.scope.strategy,
        "strategy_equity": facts.strategy_equity,
        "strategy_drawdown": facts.strategy_drawdown,
        "account_equity": facts.account_equity,
        "portfolio_equity": facts.portfolio_equity,
        "portfolio_drawdown": facts.portfolio_drawdown,
        **moment(now),
    }
    return plain(known)
