"""The strategies of the demo: at each venue trend followers on one paper account, market makers on another.

At home there are more kinds, one coin each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from apps.exchanges.models import Account, InstrumentRow
from apps.monitor.demo.venues import HOME, DemoVenue
from apps.strategies.base import JSONValue
from apps.strategies.models import Routing, StrategyRow, Trigger
from apps.strategies.registry import preset
from apps.strategies.services import StandIn, stand_ins_set, strategy_create, strategy_enable
from moondev.domain.clock import Clock

# What is traded of what the mock lists; a replay lists the one instrument of its file.
COINS = ("BTC", "ETH", "SOL")
# What may be traded elsewhere while its venue at home is down, and the venues it may go to, first to last.
ROAMER_COIN = "SOL"
ROAMER_VENUES = ("binance", "bybit", "phemex")
_ACTOR = "demo"


@dataclass(frozen=True, slots=True)
class Plan:
    """One kind of strategy, set up once per instrument. Cadences are seconds; ``changes`` go over the preset.

    ``account`` is which of a venue's paper accounts trades it: of followers of trends, of makers, or of what goes in
    and out. ``coins`` are traded at home, ``elsewhere`` at every further venue: enough to see it trade, few enough for
    a small machine.
    """

    prefix: str
    kind: str
    preset: str
    account: str
    cadence_seconds: int
    capital: Decimal
    coins: tuple[str, ...] = COINS
    elsewhere: tuple[str, ...] = ()
    changes: Mapping[str, JSONValue] = field(default_factory=dict)


TURTLE = Plan("turtle", "turtle_trend", "fast", "trend", cadence_seconds=2, capital=Decimal(30_000), elsewhere=("BTC",))
MAKER = Plan(
    "maker",
    "market_maker",
    "canonical",
    "maker",
    cadence_seconds=1,
    capital=Decimal(30_000),
    elsewhere=("ETH",),
    # The mock's market is liquid: fills thin out faster with distance there than the preset assumes.
    changes={"fill_decay_per_bp": 1.0},
)
REVERSION = Plan(
    "reversion", "mean_reversion", "fast", "swing", cadence_seconds=5, capital=Decimal(10_000), coins=("BTC",)
)
POP = Plan("pop", "consolidation_pop", "fast", "swing", cadence_seconds=5, capital=Decimal(10_000), coins=("ETH",))
KERNEL = Plan("kernel", "nadaraya_watson", "fast", "swing", cadence_seconds=5, capital=Decimal(10_000), coins=("SOL",))
PLANS = (TURTLE, MAKER, REVERSION, POP, KERNEL)
# One strategy on all its coins: ether leads the others.
FOLLOWER = Plan("follower", "correlation", "fast", "group", cadence_seconds=5, capital=Decimal(10_000))
# Seconds between the ticks of makers where resting orders are scarce: the chain takes twenty in a hundred blocks.
UNHURRIED = {"dydx": 30}
# A follower shows that a position stays where it is, a maker that new risk goes elsewhere at once.
ROAMERS = {"roamer": TURTLE, "roaming-maker": MAKER}
# One strategy on one coin at all of ``ROAMER_VENUES``: the mock's venues keep some basis points apart.
ARBITRAGEUR = Plan(
    "arbitrage",
    "arbitrage",
    "fast",
    "trend",
    cadence_seconds=1,
    capital=Decimal(20_000),
    changes={"max_hold_minutes": 0.5},
)
ARBITRAGE_COIN = "ETH"
# Parameters that are ages of data: in a replay as old as the same real seconds make them, within their bounds.
_AGES = {"max_data_age_seconds": 600.0}


@dataclass(frozen=True, slots=True)
class _Seeding:
    """What every strategy of one run is made with."""

    accounts: Mapping[str, Account]
    clock: Clock
    speed: float

    def account(self, plan: Plan, venue: DemoVenue) -> Account:
        code = f"paper-{plan.account}" if venue.code == HOME else f"{plan.account}-{venue.code}"
        return self.accounts[code]


def seed_strategies(
    accounts: Mapping[str, Account], venues: Sequence[DemoVenue], *, clock: Clock, speed: float
) -> list[str]:
    """Create and enable every plan at every venue, on what is listed there; return the names.

    With two or more of ``ROAMER_VENUES`` there are some strategies more: those that trade elsewhere while their venue
    is down, and, unless it is a replay, one that trades between them.
    """
    seeding = _Seeding(accounts, clock, speed)
    names = [
        _strategy(f"{plan.prefix}{_at(venue)}-{coin.lower()}", plan, seeding.account(plan, venue), instrument, seeding)
        for venue in venues
        for plan in PLANS
        for coin in (plan.coins if venue.code == HOME else plan.elsewhere)
        if (instrument := _listed(venue, coin)) is not None
    ]
    names += [FOLLOWER.prefix for venue in venues if venue.code == HOME and _trades_together(venue, seeding)]
    roaming = [venue for venue in venues if venue.code in ROAMER_VENUES]
    names += [slug for slug, plan in ROAMERS.items() if _roams(slug, plan, roaming, seeding)]
    return [*names, ARBITRAGEUR.prefix] if speed == 1 and _trades_between(roaming, seeding) else names


def _at(venue: DemoVenue) -> str:
    return "" if venue.code == HOME else f"-{venue.code}"


def _listed(venue: DemoVenue, coin: str) -> InstrumentRow | None:
    return InstrumentRow.objects.filter(venue=venue.code, symbol=venue.symbol_of(coin), active=True).first()


def _listings(venues: Sequence[DemoVenue], coin: str) -> list[tuple[DemoVenue, InstrumentRow]]:
    return [(venue, instrument) for venue in venues if (instrument := _listed(venue, coin)) is not None]


def _trades_together(venue: DemoVenue, seeding: _Seeding) -> bool:
    """Set up the follower on all its coins; return whether they are listed (a replay has one)."""
    instruments = [listed for coin in FOLLOWER.coins if (listed := _listed(venue, coin)) is not None]
    if len(instruments) < len(FOLLOWER.coins):
        return False
    if not StrategyRow.objects.filter(slug=FOLLOWER.prefix).exists():
        row = _create(FOLLOWER.prefix, FOLLOWER, seeding.account(FOLLOWER, venue), instruments, seeding)
        strategy_enable(row.pk, actor=_ACTOR, now=seeding.clock.now())
    return True


def _trades_between(venues: Sequence[DemoVenue], seeding: _Seeding) -> bool:
    """Set up the arbitrage at all of `venues`, each leg on the account there; return whether there are enough."""
    listed = _listings(venues, ARBITRAGE_COIN)
    if len(listed) < 2:
        return False
    if StrategyRow.objects.filter(slug=ARBITRAGEUR.prefix).exists():
        return True
    home, *abroad = (seeding.account(ARBITRAGEUR, venue) for venue, _ in listed)
    instruments = [instrument for _, instrument in listed]
    row = _create(ARBITRAGEUR.prefix, ARBITRAGEUR, home, instruments, seeding, abroad)
    strategy_enable(row.pk, actor=_ACTOR, now=seeding.clock.now())
    return True


def _roams(slug: str, plan: Plan, venues: Sequence[DemoVenue], seeding: _Seeding) -> bool:
    """Set up a strategy at the first of `venues` with the others standing in; return whether there are enough."""
    listed = _listings(venues, ROAMER_COIN)
    if len(listed) < 2:
        return False
    if StrategyRow.objects.filter(slug=slug).exists():
        return True
    (home, instrument), *others = listed
    row = _create(slug, plan, seeding.account(plan, home), [instrument], seeding)
    stand_ins = [StandIn(instrument, other, seeding.account(plan, venue)) for venue, other in others]
    now = seeding.clock.now()
    stand_ins_set(row.pk, stand_ins=stand_ins, routing=Routing.FAILOVER, actor=_ACTOR, now=now)
    strategy_enable(row.pk, actor=_ACTOR, now=now)
    return True


def _strategy(slug: str, plan: Plan, account: Account, instrument: InstrumentRow, seeding: _Seeding) -> str:
    if not StrategyRow.objects.filter(slug=slug).exists():
        row = _create(slug, plan, account, [instrument], seeding)
        strategy_enable(row.pk, actor=_ACTOR, now=seeding.clock.now())
    return slug


def _create(
    slug: str,
    plan: Plan,
    account: Account,
    instruments: Sequence[InstrumentRow],
    seeding: _Seeding,
    accounts_abroad: Sequence[Account] = (),
) -> StrategyRow:
    return strategy_create(
        slug=slug,
        kind=plan.kind,
        parameters=_parameters(plan, seeding.speed),
        account=account,
        accounts_abroad=accounts_abroad,
        instruments=instruments,
        actor=_ACTOR,
        now=seeding.clock.now(),
        # A replay's minutes pass too fast for beat: there the closing bars make strategies due.
        trigger=Trigger.BAR if seeding.speed > 1 else Trigger.INTERVAL,
        cadence_seconds=_cadence(plan, account),
        capital=plan.capital,
    )


def _cadence(plan: Plan, account: Account) -> int:
    return UNHURRIED.get(account.venue_id, plan.cadence_seconds) if plan is MAKER else plan.cadence_seconds


def _parameters(plan: Plan, speed: float) -> dict[str, JSONValue]:
    values = {**preset(plan.kind, plan.preset).model_dump(mode="json"), **plan.changes}
    ages = {name: min(values[name] * speed, most) for name, most in _AGES.items() if name in values}
    return {**values, **ages}
