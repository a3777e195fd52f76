"""Write the books of a scenario into an empty database: venues, accounts, limits, states and what is held."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from hashlib import sha256

from apps.exchanges.accounts.balances import account_adopt
from apps.exchanges.accounts.facts import account_facts
from apps.exchanges.execution.sessions import Session
from apps.exchanges.execution.states import trading_state_set
from apps.exchanges.models import (
    UNASSIGNED,
    Account,
    InstrumentRow,
    Portfolio,
    Position,
    ScopeKind,
    Signer,
    TradingMode,
    Venue,
)
from apps.exchanges.models.venues import Environment
from apps.exchanges.registry import capabilities
from apps.risk.breakers import seeds
from apps.risk.exposure_recompute import exposures_recompute
from apps.risk.facts import load_facts
from apps.risk.scenario.client import QUOTE, ScenarioClient
from apps.risk.scenario.day import COINS
from apps.risk.scenario.holdings import Holdings
from apps.risk.scenario.market import MAX_LEVERAGE, ScenarioVenue, specs
from apps.risk.scope import StrategyScope
from apps.risk.services import seed_limits
from moondev.domain.clock import FixedClock
from moondev.domain.errors import Configuration, InvalidValue

PORTFOLIO, ACTOR = "scenario", "scenario"
PROTOCOL = "hyperliquid"
NOWHERE = "http://127.0.0.1:1"


@dataclass(frozen=True, slots=True)
class Stage:
    """One account at one venue, with the strategy that holds its positions."""

    venue: ScenarioVenue
    client: ScenarioClient
    address: str
    scope: StrategyScope


class ScenarioSessions:
    """Opens sessions to the venues of a scenario; every purpose has the same client."""

    def __init__(self, clients: Mapping[int, ScenarioClient]) -> None:
        """Serve `clients`, by account id."""
        self._clients = clients

    def session(self, account_id: int, purpose: str) -> Session:
        """Return the session of an account."""
        signer = Signer.objects.get(account_id=account_id, purpose=purpose)
        return Session(account_facts(account_id), self._clients[account_id], signer.pk, capabilities(PROTOCOL))


def address_at(venue: str) -> str:
    """Return the address of the scenario's account at a venue."""
    return "0x" + sha256(f"scenario {venue}".encode()).hexdigest()[:40]


def grant(venue: ScenarioVenue, holdings: Holdings) -> None:
    """Open the account at a venue and give it what it holds. Raises InvalidValue when its money does not carry that."""
    address = address_at(venue.code)
    venue.exchange.open_account(address, holdings.equity[venue.code].quantize(Decimal("0.000001")))
    for spec in specs():
        venue.exchange.update_leverage(address, spec.coin, MAX_LEVERAGE, is_cross=True)
    for stake in holdings.stakes:
        if stake.venue == venue.code:
            lot = next(spec.lot for spec in specs() if spec.coin == stake.coin)
            size = round(stake.notional / Decimal(str(COINS[stake.coin].price)) / lot) * lot
            if not size:
                raise InvalidValue("hold", stake.notional, f"at least one lot of {stake.coin}")
            venue.grant(address, stake.coin, size)


def write_books(venues: Mapping[str, ScenarioVenue], holdings: Holdings, clock: FixedClock) -> list[Stage]:
    """Write everything and return the stages, by venue. Raises Configuration unless the database is empty."""
    if Account.objects.exists():
        raise Configuration("a scenario is played in a database of its own; this one has accounts")
    seeds.seed()
    Portfolio.objects.create(code=PORTFOLIO, currency=QUOTE, environment=Environment.PAPER)
    seed_limits(PORTFOLIO, actor=ACTOR, now=clock.now())
    _activate(ScopeKind.PORTFOLIO, PORTFOLIO, clock)
    for venue in venues.values():
        grant(venue, holdings)
    # What was traded so far lies before the books begin.
    clock.advance(timedelta(seconds=1))
    stages = [_stage(venue, holdings, clock) for venue in venues.values()]
    exposures_recompute(now=clock.now(), actor=ACTOR)
    load_facts([stage.scope for stage in stages], clock.now())
    return stages


def _stage(venue: ScenarioVenue, holdings: Holdings, clock: FixedClock) -> Stage:
    row = Venue.objects.create(
        code=venue.code, protocol=PROTOCOL, environment=Environment.PAPER, rest_url=NOWHERE, websocket_url=NOWHERE
    )
    for spec in specs():
        InstrumentRow.objects.create(
            venue=row, symbol=spec.coin, asset=spec.coin, quote=QUOTE, venue_asset_id=str(spec.asset_id),
            tick=Decimal(1).scaleb(-spec.price_max_decimals), significant_figures=spec.sig_figs, lot=spec.lot,
            min_notional=spec.min_notional, max_leverage=spec.max_leverage,
        )  # fmt: skip
    account = Account.objects.create(
        code=f"on-{venue.code}", venue=row, portfolio_id=PORTFOLIO, address=address_at(venue.code), currency=QUOTE,
        fills_known_until=clock.now(),
    )  # fmt: skip
    for purpose in Signer.Purpose.values:
        Signer.objects.create(account=account, purpose=purpose, address=account.address, secret_name="SCENARIO")  # noqa: S106  no secret: nobody signs
    _activate(ScopeKind.ACCOUNT, account.code, clock)
    client = ScenarioClient(venue, account.address, clock)
    account_adopt(account.pk, client.account_snapshot(), clock.now())
    strategy = f"holder-{venue.code}"
    Position.objects.filter(account=account, strategy=UNASSIGNED).update(strategy=strategy)
    scope = StrategyScope(
        strategy=strategy, account_id=account.pk, account=account.code, portfolio=PORTFOLIO, venue=venue.code,
        currency=QUOTE, capital=holdings.equity[venue.code], leverage=Decimal(5),
    )  # fmt: skip
    return Stage(venue, client, account.address, scope)


def _activate(kind: ScopeKind, key: str, clock: FixedClock) -> None:
    trading_state_set(
        scope_kind=kind, scope_key=key, mode=TradingMode.ACTIVE, reason="a scenario", actor=ACTOR, now=clock.now()
    )
