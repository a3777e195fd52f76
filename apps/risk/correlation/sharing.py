"""The limits that a group shares, held against the counters under their locks.

Whoever opens something locks the counters of every member of its group with its own, in the one order of all locks, so
no two ticks, on any machines, can fill one shared limit together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

from apps.exchanges.locks import ExposureKey
from apps.exchanges.models import ALL_ASSETS, ScopeKind
from apps.risk.correlation.book import Shared
from apps.risk.facts import RiskFacts
from moondev.domain.decisions import RefusalCode, RiskRefused
from moondev.domain.instruments import Instrument
from moondev.domain.orders import PlaceOrder
from moondev.domain.values import ZERO


def shared_keys(facts: RiskFacts | None, instrument: Instrument) -> Iterator[ExposureKey]:
    """Yield the counters of everybody who shares a limit with an order in `instrument`."""
    if facts is not None:
        for _, keys in _shared(facts, instrument):
            yield from keys


def shared_refusal(
    order: PlaceOrder,
    instrument: Instrument,
    amount: Decimal,
    used: Mapping[ExposureKey, Decimal],
    facts: RiskFacts | None,
) -> RiskRefused | None:
    """Return the refusal of an order that would take its group above what it shares; None when it fits."""
    if facts is None:
        return None
    for (code, shared), keys in _shared(facts, instrument):
        if shared.most is None:
            return RiskRefused(order, RefusalCode.EQUITY_UNKNOWN, shared.words[:100], "not known now")
        total = sum((used[key] for key in keys), ZERO) + amount
        if total > shared.most:
            return RiskRefused(order, code, shared.words[:100], total)
    return None


def _shared(
    facts: RiskFacts, instrument: Instrument
) -> Iterator[tuple[tuple[RefusalCode, Shared], tuple[ExposureKey, ...]]]:
    if facts.copies is not None:
        keys = tuple(ExposureKey(ScopeKind.STRATEGY.value, one, ALL_ASSETS) for one in facts.copies.members)
        yield (RefusalCode.STRATEGIES_CORRELATED, facts.copies), keys
    alike = facts.alike.get(instrument.asset)
    if alike is not None:
        portfolio = facts.scope.portfolio
        keys = tuple(ExposureKey(ScopeKind.PORTFOLIO.value, portfolio, one) for one in alike.members)
        yield (RefusalCode.ASSETS_CORRELATED, alike), keys
