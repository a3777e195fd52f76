"""What passes from stage to stage of a tick, frozen at each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from apps.risk.facts import RiskFacts
from apps.risk.review import Reviewed
from apps.risk.scope import StrategyScope
from apps.risk.sizing.multiples import UNSIZED, Allowed
from apps.strategies.base import Decision, OwnPosition
from apps.strategies.models import Tick
from apps.strategies.orchestrator.loader import Loaded
from apps.strategies.orchestrator.outlets import NO_OUTLETS, Outlets
from apps.strategies.orchestrator.planner import Plan
from moondev.domain.instruments import Instrument
from moondev.domain.market_data import Book, MarketView
from moondev.domain.orders import WorkingOrder
from moondev.domain.portfolio import Holding
from moondev.domain.values import Price


@dataclass(frozen=True, slots=True)
class Work:
    """Everything one strategy's tick is decided on.

    `instruments` are those at home, which the strategy names; `outlets` where else they can be traded. Everything
    else is by instrument key, stand-ins included: `instrument_ids` are row ids, `ages` how old the data is, `prices`
    mids (None: no price heard), `books` their tops, `working` its own non-final orders, `account_net` the accounts'
    positions over all strategies. `allowed` is what a weight of 1 stands for by the strategy's sizing rule; with
    nothing allowed no new signal gets a size.
    """

    tick: Tick
    loaded: Loaded
    scope: StrategyScope
    instruments: Mapping[str, Instrument]
    instrument_ids: Mapping[str, int]
    view: MarketView
    ages: Mapping[str, timedelta]
    prices: Mapping[str, Price | None]
    books: Mapping[str, Book | None]
    own: OwnPosition
    holdings: Mapping[str, Holding]
    account_net: Mapping[str, Decimal]
    working: tuple[WorkingOrder, ...]
    facts: RiskFacts
    outlets: Outlets = NO_OUTLETS
    allowed: Allowed = UNSIZED

    @property
    def traded(self) -> dict[str, Instrument]:
        """Return every instrument that orders may be in, stand-ins included."""
        return {**self.instruments, **{outlet.key: outlet.instrument for outlet in self.outlets.stand_ins}}

    def scope_at(self, instrument: str) -> StrategyScope:
        """Return whose money an order in `instrument` moves."""
        facts = self.outlets.facts.get(instrument)
        return self.scope if facts is None else facts.scope


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision that was checked, and what it took: wall-clock milliseconds, and whether too many.

    `decided_at` is by the run's clock; None where nobody counts, as in a replay.
    """

    work: Work
    decision: Decision
    decide_ms: float
    overrun: bool
    decided_at: datetime | None = None


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

    `kind` names the event that is kept; `overrun` counts towards pausing the strategy; `code_hash` is of the code that
    was asked, where any was.
    """

    tick: Tick
    message: str
    kind: str = "tick_failed"
    decide_ms: float | None = None
    overrun: bool = False
    code_hash: str = ""
