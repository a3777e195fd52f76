"""What came of a played day: who was stopped and when, what was refused, what it cost, what is left and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from apps.exchanges.execution.gate import GateScope, gate_modes
from apps.exchanges.models import AccountEvent, TradingMode, Veto
from apps.risk.models import BreakerChange, LimitKind, RiskEvent
from apps.risk.scenario.books import Stage
from apps.risk.scenario.buyer import Opening
from apps.risk.services import SEED_LIMITS


@dataclass(frozen=True, slots=True)
class Worth:
    """What everything was worth at a second: ours, and of who does nothing."""

    second: int
    ours: Decimal
    idle: Decimal


@dataclass(frozen=True, slots=True)
class Growth:
    """A position that grew although its scope was stopped: there must be none."""

    second: int
    venue: str
    coin: str
    before: Decimal
    after: Decimal


@dataclass(frozen=True, slots=True)
class Event:
    """Something that tripped, was stopped, released or alarmed."""

    second: int
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Left:
    """A position that is open at the end, and why."""

    venue: str
    coin: str
    size: Decimal
    value: Decimal
    why: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """A played day."""

    seed: int
    venues: tuple[str, ...]
    weakest: str
    worth: tuple[Worth, ...]
    happened: tuple[Event, ...]
    forced: tuple[str, ...]
    refused: Mapping[str, int]
    openings: tuple[Opening, ...]
    growths: tuple[Growth, ...]
    left: tuple[Left, ...]

    @property
    def blind(self) -> tuple[Opening, ...]:
        """Return what was opened on a price nobody knew, or an old one: there must be nothing."""
        oldest = timedelta(milliseconds=float(SEED_LIMITS[LimitKind.MAX_DATA_AGE_MS]))
        return tuple(one for one in self.openings if one.price_age is None or one.price_age > oldest)

    @property
    def began(self) -> Decimal:
        """Return what everything was worth at first."""
        return self.worth[0].ours

    @property
    def ended(self) -> Decimal:
        """Return what it is worth at the end."""
        return self.worth[-1].ours

    @property
    def lowest(self) -> Worth:
        """Return the second at which ours was worth least."""
        return min(self.worth, key=lambda worth: worth.ours)

    @property
    def idle_lowest(self) -> Worth:
        """Return the second at which doing nothing was worth least."""
        return min(self.worth, key=lambda worth: worth.idle)


def happened(begins: datetime) -> Iterator[Event]:
    """Tell what the platform wrote down, in order: breaches, vetoes, breakers, alarms."""
    yield from sorted([*_risk_events(begins), *_breakers(begins), *_alarms(begins)], key=lambda event: event.second)


def what_is_left(stages: Sequence[Stage], now: datetime) -> Iterator[Left]:
    """Tell of every position that is open at its venue why it is."""
    for stage in stages:
        state = stage.venue.exchange.account_state(stage.address)
        for position in state.positions:
            why = _why(stage, position.coin, now)
            yield Left(stage.venue.code, position.coin, position.size, position.size * position.mark_px, why)


def _why(stage: Stage, coin: str, now: datetime) -> str:
    """Return the reason in words: an unfinished halt's own, what a halt was to keep, or that nobody stopped it."""
    vetoes = [veto for veto in Veto.objects.filter(venue_id=stage.venue.code).order_by("-pk") if _covers(veto, stage)]
    for veto in vetoes:
        if veto.done_at is None:
            return f"its halt is {veto.stage}: {veto.detail or 'no word yet'}"
    for veto in vetoes:
        if veto.flatten:
            kept = f"{veto.keep_share:.0%} was to stay" if veto.keep_share else "it came after the halt was done"
            return f"{kept} ({veto.reason})"
    scope = stage.scope
    gate = GateScope(scope.portfolio, scope.venue, scope.account, scope.strategy, f"{scope.venue}:{coin}")
    mode = gate_modes([gate], now)[gate]
    return "nobody has stopped it" if mode is TradingMode.ACTIVE else f"{mode.value}, and nothing asked to close it"


def _covers(veto: Veto, stage: Stage) -> bool:
    return (veto.scope_kind, veto.scope_key) in set(stage.scope.enclosing)


def _risk_events(begins: datetime) -> Iterable[Event]:
    for row in RiskEvent.objects.order_by("pk"):
        if row.kind != RiskEvent.Kind.DRIFT:
            yield Event(
                _second(row.at, begins), row.kind, f"{row.scope_kind}:{row.scope_key} by {row.actor}: {row.message}"
            )


def _breakers(begins: datetime) -> Iterable[Event]:
    for row in BreakerChange.objects.select_related("breaker").order_by("pk"):
        text = f"{row.breaker.code} in {row.scope_kind}:{row.scope_key} {row.mode_from} -> {row.mode_to}: {row.reason}"
        yield Event(_second(row.at, begins), "breaker", text)


def _alarms(begins: datetime) -> Iterable[Event]:
    rows = AccountEvent.objects.select_related("account").exclude(kind=AccountEvent.Kind.ADOPTED_POSITION)
    for row in rows.order_by("pk"):
        yield Event(_second(row.at, begins), "alarm", f"{row.account.code}: {row.get_kind_display()}: {row.message}")


def _second(at: datetime, begins: datetime) -> int:
    return round((at - begins).total_seconds())
