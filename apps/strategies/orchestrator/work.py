"""What passes from stage to stage of a tick, frozen at each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from apps.risk.facts import RiskFacts
from apps.risk.review import Reviewed
from apps.risk.scope import StrategyScope
from apps.strategies.base import Decision, OwnPosition
from apps.strategies.models import Tick
from apps.strategies.orchestrator.loader import Loaded
from apps.strategies.orchestrator.planner import Plan
from moondev.domain.instruments import Instrument
from moondev.domain.market_data import Book, MarketView
from moondev.domain.orders import WorkingOrder
from moondev.domain.portfolio import Holding
from moondev.domain.values import Price


@dataclass(frozen=True, slots=True)
class Work:
    """Everything one strategy's tick is decided on.

    `instrument_ids` are row ids by key; `prices` the mid of each instrument (None: no price heard) and
    `books` its top; `working` its own non-final orders; `account_net` the account's positions over all strategies.
    """

    tick: Tick
    loaded: Loaded
    scope: StrategyScope
    instruments: Mapping[str, Instrument]
    instrument_ids: Mapping[str, int]
    view: MarketView
    prices: Mapping[str, Price | None]
    books: Mapping[str, Book | None]
    own: OwnPosition
    holdings: Mapping[str, Holding]
    account_net: Mapping[str, Decimal]
    working: tuple[WorkingOrder, ...]
    facts: RiskFacts


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision that was checked, and what it took: wall-clock milliseconds, and whether too many."""

    work: Work
    decision: Decision
    decide_ms: float
    overrun: bool


@dataclass(frozen=True, slots=True)
class NewSize:
    """A size that a signal gets with this tick; `quantity` without direction."""

    instrument: str
    side: str
    signal_id: str
    weight: float
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Ready:
    """A reviewed tick, ready to be recorded."""

    decided: Decided
    plan: Plan
    reviewed: Reviewed
    sizes: tuple[NewSize, ...]
    stages_ms: Mapping[str, float] = field(default_factory=dict)

    @property
    def tick(self) -> Tick:
        """Return the tick this came of."""
        return self.decided.work.tick


@dataclass(frozen=True, slots=True)
class Failed:
    """A tick that came to nothing: nothing of it may be sent.

    `kind` names the event that is kept; `overrun` counts towards pausing the strategy.
    """

    tick: Tick
    message: str
    kind: str = "tick_failed"
    decide_ms: float | None = None
    overrun: bool = False
