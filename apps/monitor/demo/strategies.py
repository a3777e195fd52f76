"""The strategies of the demo: trend followers on one paper account, market makers on the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from apps.exchanges.models import Account, InstrumentRow
from apps.strategies.base import JSONValue
from apps.strategies.models import StrategyRow, Trigger
from apps.strategies.registry import preset
from apps.strategies.services import strategy_create, strategy_enable
from moondev.domain.clock import Clock

# What is traded of what the mock lists; a replay lists the one instrument of its file.
SYMBOLS = ("BTC", "ETH", "SOL")
_ACTOR = "demo"


@dataclass(frozen=True, slots=True)
class Plan:
    """One kind of strategy, set up once per instrument. Cadences are seconds; ``changes`` go over the preset."""

    prefix: str
    kind: str
    preset: str
    account: str
    cadence_seconds: int
    capital: Decimal
    changes: Mapping[str, JSONValue] = field(default_factory=dict)


PLANS = (
    Plan("turtle", "turtle_trend", "fast", "paper-trend", cadence_seconds=2, capital=Decimal(30_000)),
    Plan(
        "maker",
        "market_maker",
        "canonical",
        "paper-maker",
        cadence_seconds=1,
        capital=Decimal(30_000),
        # The mock's market is liquid: fills thin out faster with distance there than the preset assumes.
        changes={"fill_decay_per_bp": 1.0},
    ),
)
# Parameters that are ages of data: in a replay as old as the same real seconds make them, within their bounds.
_AGES = {"max_data_age_seconds": 600.0}


def seed_strategies(
    accounts: Mapping[str, Account], instruments: Sequence[InstrumentRow], *, clock: Clock, speed: float
) -> list[str]:
    """Create and enable every plan on every instrument of ``SYMBOLS`` that is listed; return the names."""
    traded = [instrument for instrument in instruments if instrument.symbol in SYMBOLS]
    return [
        _strategy(plan, accounts[plan.account], instrument, clock, speed) for plan in PLANS for instrument in traded
    ]


def _strategy(plan: Plan, account: Account, instrument: InstrumentRow, clock: Clock, speed: float) -> str:
    slug = f"{plan.prefix}-{instrument.symbol.lower()}"
    if StrategyRow.objects.filter(slug=slug).exists():
        return slug
    row = strategy_create(
        slug=slug,
        kind=plan.kind,
        parameters=_parameters(plan, speed),
        account=account,
        instruments=[instrument],
        actor=_ACTOR,
        now=clock.now(),
        # A replay's minutes pass too fast for beat: there the closing bars make strategies due.
        trigger=Trigger.BAR if speed > 1 else Trigger.INTERVAL,
        cadence_seconds=plan.cadence_seconds,
        capital=plan.capital,
    )
    strategy_enable(row.pk, actor=_ACTOR, now=clock.now())
    return slug


def _parameters(plan: Plan, speed: float) -> dict[str, JSONValue]:
    values = {**preset(plan.kind, plan.preset).model_dump(mode="json"), **plan.changes}
    ages = {name: min(values[name] * speed, most) for name, most in _AGES.items() if name in values}
    return {**values, **ages}
