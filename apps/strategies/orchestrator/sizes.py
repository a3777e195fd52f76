"""Gives signals their size: once, when they first appear, and again only when their weight changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from apps.risk.models import LimitKind
from apps.risk.sizing import size_target
from apps.strategies.models import SignalSize
from apps.strategies.orchestrator.planner import SizedDesired, SizedLegs, SizedTarget
from apps.strategies.orchestrator.work import Decided, NewSize, Work
from moondev.domain.desired import Desired, Legs, Quotes, Target
from moondev.domain.values import ZERO, Side, SignedQuantity


class SignalKey(NamedTuple):
    """What a size belongs to."""

    strategy: str
    instrument_id: int
    side: str
    signal_id: str


@dataclass(frozen=True, slots=True)
class KnownSize:
    """A size that was given before."""

    weight: float
    quantity: Decimal
    since: datetime


def known_sizes(decided: Sequence[Decided]) -> dict[SignalKey, KnownSize]:
    """Return the sizes that the signals of `decided` have already; one query."""
    signals = {(d.work.scope.strategy, t.signal_id) for d in decided for t in _targets(d.decision.desired)}
    if not signals:
        return {}
    rows = SignalSize.objects.filter(
        strategy__in={strategy for strategy, _ in signals}, signal_id__in={signal for _, signal in signals}
    ).values_list("strategy", "instrument_id", "side", "signal_id", "weight", "quantity", "created_at")
    return {SignalKey(*row[:4]): KnownSize(row[4], row[5].normalize(), row[6]) for row in rows}


def sized(
    decided: Decided, known: Mapping[SignalKey, KnownSize]
) -> tuple[tuple[SizedDesired, ...], tuple[NewSize, ...], tuple[str, ...]]:
    """Return the wishes with their sizes, the sizes that are new, and remarks.

    A wish whose size cannot be told because no price is known, or that gets none because the sizing rule allows
    nothing now, is left out: its orders stay as they are.
    """
    new: list[NewSize] = []
    notes: list[str] = []
    wishes: list[SizedDesired] = []
    for wish in decided.decision.desired:
        if isinstance(wish, Quotes):
            wishes.append(wish)
            continue
        targets = wish.targets if isinstance(wish, Legs) else (wish,)
        parts = [_size_one(decided.work, target, known, new) for target in targets]
        complete = [part for part in parts if part is not None]
        notes += [_less_than_a_lot(part, decided.work) for part in complete if part.target.weight and not part.quantity]
        if len(complete) < len(parts):
            names = ", ".join(t.instrument for t in targets)
            why = decided.work.allowed.why_nothing or "no price"
            notes.append(f"{why} for {names}: not sized, left as it is")
        elif isinstance(wish, Legs):
            wishes.append(SizedLegs(tuple(complete), wish.max_leg_gap_ms))
        else:
            wishes += complete
    return tuple(wishes), tuple(new), tuple(notes)


def _less_than_a_lot(part: SizedTarget, work: Work) -> str:
    target = part.target
    lot = work.instruments[target.instrument].lot
    return f"{target.instrument}: a weight of {target.weight:g} is less than one lot of {lot}; nothing is held for it"


def _targets(desired: Iterable[Desired]) -> list[Target]:
    found: list[Target] = []
    for wish in desired:
        if isinstance(wish, Legs):
            found += wish.targets
        elif isinstance(wish, Target):
            found.append(wish)
    return found


def _size_one(
    work: Work, target: Target, known: Mapping[SignalKey, KnownSize], new: list[NewSize]
) -> SizedTarget | None:
    now = work.view.now
    if target.weight == 0:
        return SizedTarget(target, SignedQuantity(ZERO), True, now)
    side = Side.BUY if target.weight > 0 else Side.SELL
    key = SignalKey(work.scope.strategy, work.instrument_ids[target.instrument], side.value, target.signal_id)
    before = known.get(key)
    if before is not None and before.weight == float(target.weight):
        return SizedTarget(target, SignedQuantity(before.quantity * side.sign), False, before.since)
    price = work.prices[target.instrument] if target.entry is None else target.entry
    if price is None or work.allowed.nothing:
        return None
    quantity = size_target(
        target,
        work.own.equity,
        work.own.leverage * float(work.facts.size_share(target.instrument)),
        float(price.value),
        work.instruments[target.instrument],
        asset_cap=_asset_cap(work, target.instrument),
    )
    if quantity:
        # Too small today is no size: a signal is not held for ever to what one poor moment allowed.
        new.append(NewSize(target.instrument, side.value, target.signal_id, float(target.weight), quantity.value))
    return SizedTarget(target, quantity.signed(side), True, now)


def _asset_cap(work: Work, instrument: str) -> float | None:
    """Return the worth up to which risk would let this asset grow; None when it cannot be told."""
    share = work.facts.limit(LimitKind.ASSET_SHARE, work.instruments[instrument])
    equity = work.facts.portfolio_equity
    return None if share is None or equity is None else float(share * equity)
