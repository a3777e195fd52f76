"""Reserve exposure, so that no two ticks on any machines can overrun one limit together.

The counters of all scopes are locked once, in sorted order; the orders are then judged one after the
other against what is in use, and the counters raised in one statement. Everything happens inside the
caller's transaction: when that rolls back, nothing was reserved.

Whoever opens anything in a portfolio holds its counter of all assets, so under it the portfolio's orders and positions
are read and no other tick can add to them: the limits on loads (apps/risk/loads.py) need no counters of their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from apps.exchanges.locks import ExposureKey, exposure_keys, lock_exposures, move_exposures
from apps.exchanges.models import ALL_ASSETS, ScopeKind
from apps.risk.carried import Carried
from apps.risk.correlation.sharing import shared_keys, shared_refusal
from apps.risk.facts import RiskFacts
from apps.risk.models import LimitKind
from apps.risk.reserve_item import ReserveItem
from apps.risk.scope import ScopeId
from moondev.domain.decisions import RefusalCode, RiskApproved, RiskRefused
from moondev.domain.orders import PlaceOrder
from moondev.domain.values import ZERO

__all__ = ["ReserveItem", "Reserved", "reserve"]


@dataclass(frozen=True, slots=True)
class Reserved:
    """Which orders got their exposure, and how much of it in the quote currency; which did not.

    Orders that reduce are kept with a reservation of zero.
    """

    kept: list[tuple[RiskApproved[PlaceOrder], Decimal]] = field(default_factory=list)
    refused: list[RiskRefused] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Bound:
    """What one counter may reach; `amount` None when the equity behind it is not known."""

    key: ExposureKey
    code: RefusalCode
    amount: Decimal | None


def reserve(items: Sequence[ReserveItem], facts: Mapping[str, RiskFacts]) -> Reserved:
    """Raise the exposure counters for as many of `items`, in order, as the limits allow.

    Needs an open transaction, which then holds the counters until its end. `facts` are by strategy.
    """
    used = lock_exposures(key for item in items if not item.reduces for key in _locked(item, facts))
    carried = Carried.read(items, facts.values())
    raised: dict[ExposureKey, Decimal] = {}
    reserved = Reserved()
    for item in items:
        amount, known = item.amount, item.facts or facts.get(item.scope.strategy)
        refusal = None if item.reduces else _refusal(item, amount, used, known) or carried.refusal(item, known)
        if refusal is not None:
            reserved.refused.append(refusal)
            continue
        reserved.kept.append((item.approved, amount))
        carried.add(item)
        for key in _keys(item) if amount else ():
            used[key] += amount
            raised[key] = raised.get(key, ZERO) + amount
    move_exposures(raised)
    return reserved


def _keys(item: ReserveItem) -> tuple[ExposureKey, ...]:
    scope = item.scope
    return exposure_keys(scope.portfolio, scope.account, scope.strategy, item.instrument.asset)


def _locked(item: ReserveItem, facts: Mapping[str, RiskFacts]) -> tuple[ExposureKey, ...]:
    """Return the counters that must not move while the item is judged: its own, and those it shares a limit with."""
    return (*_keys(item), *shared_keys(item.facts or facts.get(item.scope.strategy), item.instrument))


def _refusal(
    item: ReserveItem, amount: Decimal, used: Mapping[ExposureKey, Decimal], facts: RiskFacts | None
) -> RiskRefused | None:
    """Return the first bound that the order would break; None when it fits everywhere."""
    order = item.approved.request
    if facts is None:
        return RiskRefused(order, RefusalCode.EQUITY_UNKNOWN, "facts of the strategy", "not loaded")
    for kind in (LimitKind.ASSET_SHARE, LimitKind.MAX_LEVERAGE):
        if facts.limit(kind, item.instrument) is None:
            return RiskRefused(order, RefusalCode.LIMIT_MISSING, "an active limit", kind.value)
    for bound in _bounds(item, facts):
        if bound.amount is None:
            return RiskRefused(order, RefusalCode.EQUITY_UNKNOWN, f"equity of {bound.key.scope_kind}", "not known now")
        if used[bound.key] + amount > bound.amount:
            return RiskRefused(order, bound.code, bound.amount, used[bound.key] + amount)
    return shared_refusal(order, item.instrument, amount, used, facts)


def _bounds(item: ReserveItem, facts: RiskFacts) -> Iterator[_Bound]:
    """Yield what each counter may reach: a share of equity per asset, a multiple of it in all.

    The share is the tightest of all limits around the order. A multiple bounds the scopes it is set
    for and those inside: a limit of one strategy does not bind what the whole portfolio holds.
    """
    scope = item.scope
    share = facts.limits.tightest(LimitKind.ASSET_SHARE, scope.around(item.instrument))
    if share is not None:
        asset = ExposureKey(ScopeKind.PORTFOLIO.value, scope.portfolio, item.instrument.asset)
        yield _Bound(asset, RefusalCode.ASSET_EXPOSURE_EXCEEDED, _times(facts.counted.portfolio, share))
    everything, portfolio, venue, account, strategy = scope.enclosing
    levels: tuple[tuple[ScopeId, tuple[ScopeId, ...], Decimal | None], ...] = (
        (portfolio, (everything, portfolio), facts.counted.portfolio),
        (account, (everything, portfolio, venue, account), facts.account_equity),
        (strategy, scope.enclosing, facts.counted.strategy),
    )
    for (kind, code), around, equity in levels:
        multiple = facts.limits.tightest(LimitKind.MAX_LEVERAGE, around)
        if multiple is not None:
            gross = ExposureKey(kind, code, ALL_ASSETS)
            yield _Bound(gross, RefusalCode.LEVERAGE_EXCEEDED, _times(equity, multiple))


def _times(equity: Decimal | None, factor: Decimal) -> Decimal | None:
    return None if equity is None else equity * factor
