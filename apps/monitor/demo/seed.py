"""Write the rows the demo trades with. Running it twice changes nothing."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.contrib.auth import get_user_model
from django.db import transaction

from apps.exchanges.execution.states import trading_state_set
from apps.exchanges.market_data.listings import instruments_refresh
from apps.exchanges.models import (
    Account,
    Portfolio,
    ScopeKind,
    Signer,
    TradingMode,
    Transfer,
    Venue,
)
from apps.exchanges.models.venues import Environment
from apps.monitor.alerts.seeds import seed as seed_alert_rules
from apps.monitor.demo.paper import PURPOSES, PaperAccount, accounts_at
from apps.monitor.demo.strategies import seed_strategies
from apps.monitor.demo.venues import HOME, VENUES, DemoVenue
from apps.monitor.models import AlertRule
from apps.risk.models import Breaker, ConversionRate, LimitKind
from apps.risk.models.rates import LONGEST_AGE_SECONDS
from apps.risk.services import SEED_LIMITS, seed_limits
from moondev.domain.clock import Clock

OPERATOR = "operator"
_ACTOR = "demo"
_OPENING = "opening"
_DEMO_LATENCY_MS = 5_000


@dataclass(frozen=True, slots=True)
class Login:
    """What the operator types. Made anew for each run, printed once, kept nowhere."""

    user: str
    password: str


def new_login() -> Login:
    """Return a login with a password nobody has had."""
    return Login(OPERATOR, secrets.token_urlsafe(9))


@transaction.atomic
def seed_demo(
    *, mock_url: str, login: Login, clock: Clock, speed: float, venues: Sequence[DemoVenue] = (VENUES[HOME],)
) -> list[str]:
    """Write venues, instruments, accounts, limits, states, login and strategies; return the strategies' names.

    The mock exchange must be answering: instruments come from it as from any venue.

    Args:
        mock_url: address of the mock exchange, without the venue's path.
        login: the operator's.
        clock: the run's.
        speed: how many seconds of the run pass in one real second; limits on ages and deadlines grow with it.
        venues: where to trade.

    Raises:
        Connectivity: the mock exchange does not answer.
    """
    rows = {venue.code: _venue(venue, mock_url) for venue in venues}
    for row in rows.values():
        instruments_refresh(row)
    portfolios = {venue.portfolio: _portfolio(venue) for venue in venues}
    accounts = {
        paper.code: _account(paper, rows[paper.venue_code], portfolios[paper.venue.portfolio], clock)
        for paper in accounts_at(venues)
    }
    for portfolio in portfolios.values():
        _limits(portfolio, clock, speed)
        _activate(portfolio, [one for one in accounts.values() if one.portfolio_id == portfolio.code], clock)
    _rates(portfolios.values(), clock)
    _breakers()
    _alerts()
    _operator(login)
    return seed_strategies(accounts, venues, clock=clock, speed=speed)


def _venue(venue: DemoVenue, mock_url: str) -> Venue:
    row, _ = Venue.objects.update_or_create(
        code=venue.code,
        defaults={
            "protocol": venue.code,
            "environment": Environment.PAPER,
            "rest_url": f"{mock_url}{venue.rest_path}",
            "websocket_url": f"{mock_url.replace('http', 'ws', 1)}{venue.websocket_path}",
            "maker_fee_bps": venue.maker_fee_bps,
            "taker_fee_bps": venue.taker_fee_bps,
        },
    )
    return row


def _rates(portfolios: Iterable[Portfolio], clock: Clock) -> None:
    """Say what the demo's currencies are worth in each other: the mock exchange lists no pair that would tell."""
    first, *others = sorted({portfolio.currency for portfolio in portfolios})
    for currency in others:
        ConversionRate.objects.update_or_create(
            base=currency,
            quote=first,
            defaults={
                "rate": Decimal(1), "at": clock.now(), "max_age_seconds": LONGEST_AGE_SECONDS, "actor": _ACTOR,
                "reason": "made up for the demo: no venue of the mock exchange lists this pair",
            },
        )  # fmt: skip


def _portfolio(venue: DemoVenue) -> Portfolio:
    portfolio, _ = Portfolio.objects.get_or_create(
        code=venue.portfolio, defaults={"currency": venue.currency, "environment": Environment.PAPER}
    )
    return portfolio


def _account(paper: PaperAccount, venue: Venue, portfolio: Portfolio, clock: Clock) -> Account:
    account, _ = Account.objects.get_or_create(
        code=paper.code,
        defaults={
            "venue": venue,
            "portfolio": portfolio,
            "address": paper.address,
            "currency": paper.venue.currency,
        },
    )
    for purpose in PURPOSES:
        Signer.objects.get_or_create(
            account=account,
            purpose=purpose,
            defaults={"address": paper.signer_address(purpose), "secret_name": paper.secret_name(purpose)},
        )
    Transfer.objects.get_or_create(
        account=account, reference=_OPENING, defaults={"amount": paper.deposit, "at": clock.now()}
    )
    return account


def _breakers() -> None:
    """Bear with a machine that carries the venues too: at a load like that orders take longer than anywhere else."""
    Breaker.objects.filter(code="order-latency").update(threshold=_DEMO_LATENCY_MS)
    Breaker.objects.filter(code__in=["cpu", "memory"]).update(enabled=False)


def _alerts() -> None:
    """Say at once that a venue is down: here one is away for seconds, and somebody watches."""
    seed_alert_rules()
    AlertRule.objects.filter(slug="venue-down").update(for_seconds=0)


def _limits(portfolio: Portfolio, clock: Clock, speed: float) -> None:
    """Seed the usual limits; in a replay data may be as old as the same real seconds make it."""
    values = {**SEED_LIMITS, LimitKind.MAX_DATA_AGE_MS: SEED_LIMITS[LimitKind.MAX_DATA_AGE_MS] * round(speed)}
    seed_limits(portfolio.code, actor=_ACTOR, now=clock.now(), values=values)


def _activate(portfolio: Portfolio, accounts: Sequence[Account], clock: Clock) -> None:
    scopes = [(ScopeKind.PORTFOLIO, portfolio.code), *((ScopeKind.ACCOUNT, account.code) for account in accounts)]
    for kind, key in scopes:
        trading_state_set(
            scope_kind=kind,
            scope_key=key,
            mode=TradingMode.ACTIVE,
            reason="paper accounts of the demo",
            actor=_ACTOR,
            now=clock.now(),
        )


def _operator(login: Login) -> None:
    users = get_user_model().objects
    user, _ = users.get_or_create(username=login.user, defaults={"is_staff": True, "is_superuser": True})
    user.set_password(login.password)
    user.save(update_fields=["password"])
