"""Reads the books of the report: venue equity, marks and positions of every portfolio."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from django.db.models import Min

from apps.exchanges.market_data.cache import NEVER_HEARD, MarketCache, Wanted
from apps.exchanges.models import Portfolio, Position, ScopeKind
from apps.risk.breakers.readings import day_losses
from apps.risk.loads import read_loads
from apps.risk.models import Allocation
from apps.risk.portfolio.drawdown import Mark, read_marks
from apps.risk.portfolio.equity import Equities, read_equities
from apps.risk.report.book import Book, Stake, Standing, Worth
from apps.risk.scope import ScopeId
from moondev.domain.errors import Connectivity
from moondev.domain.values import ZERO


def read_books(now: datetime, cache: MarketCache | None) -> list[Book]:
    """Return the book of every portfolio. Without Redis positions stand at what they cost."""
    portfolios = list(Portfolio.objects.order_by("code"))
    equities = read_equities([portfolio.code for portfolio in portfolios], now)
    stakes = _stakes(now, cache)
    members = _strategies()
    scopes: list[ScopeId] = [(ScopeKind.PORTFOLIO.value, portfolio.code) for portfolio in portfolios]
    scopes += [(ScopeKind.STRATEGY.value, slug) for slugs in members.values() for slug in slugs]
    marks, losses = read_marks(scopes, now), day_losses(now)
    loads, ages = read_loads([portfolio.code for portfolio in portfolios], now), _ages(now)
    return [
        Book(
            portfolio=row.code,
            currency=row.currency,
            worth=_worth(marks.get((ScopeKind.PORTFOLIO.value, row.code)), equities.portfolio(row.code)),
            begun=_begun(equities.portfolio(row.code), losses.get((ScopeKind.PORTFOLIO.value, row.code))),
            strategies={slug: _strategy(marks, slug) for slug in members.get(row.code, [])},
            stakes=tuple(stakes.get(row.code, [])),
            accounts=_standings(row, equities),
            loads=loads[row.code],
            ages={slug: ages[slug] for slug in members.get(row.code, []) if slug in ages},
            rate=equities.dearest.get(row.code, Decimal(1)),
        )
        for row in portfolios
    ]


def _stakes(now: datetime, cache: MarketCache | None) -> dict[str, list[Stake]]:
    rows = Position.objects.exclude(quantity=0).select_related("account", "instrument").order_by("pk")
    prices = _prices({row.instrument.key for row in rows}, now, cache)
    found: dict[str, list[Stake]] = {}
    for row in rows:
        mark = prices.get(row.instrument.key) or row.cost / row.quantity
        stake = Stake(row.strategy, row.account.venue_id, row.account.code, row.instrument.asset, row.quantity, mark)
        found.setdefault(row.account.portfolio_id, []).append(stake)
    return found


def _prices(keys: set[str], now: datetime, cache: MarketCache | None) -> dict[str, Decimal]:
    if cache is None:
        return {}
    try:
        views = cache.views({key: Wanted({}, book=False) for key in sorted(keys)}, now)
    except Connectivity:
        return {}
    marks = {key: views.get(key, NEVER_HEARD).mark_price for key in keys}
    return {key: Decimal(repr(float(mark))) for key, mark in marks.items() if mark is not None and mark > 0}


def _standings(portfolio: Portfolio, equities: Equities) -> dict[str, Standing]:
    accounts = portfolio.accounts.filter(enabled=True).order_by("code").values_list("code", "venue_id")
    return {code: Standing(venue, equities.account(code), equities.margin(code)) for code, venue in accounts}


def _ages(now: datetime) -> dict[str, Decimal | None]:
    """Return for how many seconds each strategy has held its oldest position; None where nobody has noted it."""
    rows = Position.objects.exclude(quantity=0).values_list("strategy").annotate(Min("opened_at"))
    return {slug: None if at is None else Decimal(int((now - at).total_seconds())) for slug, at in rows}


def _strategies() -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {}
    for slug, portfolio in Allocation.objects.order_by("strategy").values_list("strategy", "account__portfolio_id"):
        found.setdefault(portfolio, []).append(slug)
    return found


def _worth(mark: Mark | None, equity: Decimal | None) -> Worth:
    return Worth(equity, None if mark is None else max(mark.peak, equity or ZERO))


def _strategy(marks: Mapping[ScopeId, Mark], slug: str) -> Worth:
    mark = marks.get((ScopeKind.STRATEGY.value, slug))
    return Worth(None, None) if mark is None else Worth(mark.fresh_equity, mark.peak)


def _begun(equity: Decimal | None, lost: Decimal | None) -> Decimal | None:
    """Return what the portfolio was worth at midnight, from what it is worth and the share it has lost since."""
    return None if equity is None or lost is None or lost >= 1 else equity / (1 - lost)
