"""Topics ``money``, ``equity:KIND:KEY:SECONDS``, ``limits``: what it is worth, over time, and against limits."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from apps.exchanges.market_data.cache import market_cache
from apps.exchanges.models import ScopeKind
from apps.monitor.api.stream.sources.words import amount, moment
from apps.monitor.api.stream.table import Row, Rows
from apps.risk.breakers.readings import day_losses
from apps.risk.limits import read_limits
from apps.risk.models import Limit, LimitKind
from apps.risk.portfolio.drawdown import Mark, read_marks
from apps.risk.portfolio.figures import AMOUNTS, Figures
from apps.risk.portfolio.series import equity_series
from apps.risk.portfolio.truth import Truth, read_truth
from apps.risk.report.headroom import headroom, limit_words
from apps.risk.report.read import read_books
from apps.risk.scope import ScopeId
from moondev.domain.clock import Clock
from moondev.domain.errors import InvalidValue

SPANS = (3_600, 86_400, 604_800, 7_776_000)
POINTS = 360
_MARKED = (ScopeKind.PORTFOLIO.value, ScopeKind.STRATEGY.value)


def read_money(_words: tuple[str, ...], clock: Clock) -> Rows:
    """Return the figures of everything, and of each portfolio, account, venue, strategy and asset.

    They are those of the most real money there is. A drawdown is a share of the peak, None while it is not known.
    """
    now = clock.now()
    truth = read_truth(now)
    figures = dict(_figures(truth))
    scopes = [_scope(name) for name in figures]
    marks = read_marks([scope for scope in scopes if scope[0] in _MARKED], now)
    losses = day_losses(now)
    rows = {
        name: {**_row(name, found), **_marked(marks.get(_scope(name)), found, losses.get(_scope(name)))}
        for name, found in figures.items()
    }
    return {**rows, "total": {**rows["total"], **_of_all(rows, truth)}}


def read_equity(words: tuple[str, ...], clock: Clock) -> Rows:
    """Return what a scope was worth, by seconds since 1970; steps of which nothing is known have no row.

    Raises InvalidValue.
    """
    kind, key, text = words
    if text not in {str(span) for span in SPANS}:
        raise InvalidValue("seconds", text, ", ".join(str(span) for span in SPANS))
    step = timedelta(seconds=max(1, int(text) // POINTS))
    # On a grid that does not move with the time, so that a point is sent once.
    end = datetime.fromtimestamp(math.ceil(clock.now().timestamp() / step.total_seconds()) * step.total_seconds(), UTC)
    scope = ("total", read_truth(clock.now()).environment) if kind == "total" else (kind, key)
    series = equity_series(scope, end - POINTS * step, end, step)
    return {
        str(int((at - step).timestamp())): {"equity": float(worth)}
        for at, worth in zip(series.at, series.equity, strict=True)
        if not math.isnan(worth)
    }


def read_limits_used(_words: tuple[str, ...], clock: Clock) -> Rows:
    """Return every limit something can be measured against, with how much of it is used.

    `number` is the row of the one that binds, `where` the scope it is set for.
    """
    limits = read_limits()
    numbers = {
        (limit_words(LimitKind(limit.kind)), f"{limit.scope_kind}:{limit.scope_key}"): limit.pk
        for limit in Limit.objects.filter(active=True)
    }
    rows: dict[str, Row] = {}
    for book in read_books(clock.now(), market_cache()):
        for line in headroom(book, limits):
            rows[f"{book.portfolio}/{line.kind}/{line.of}"] = {
                "kind": line.kind,
                "of": line.of,
                "where": line.where,
                "number": numbers.get((line.kind, line.where)),
                "note": line.note,
                "limit": amount(line.limit),
                "used": amount(line.used),
                "share": None if line.share is None else amount(round(line.share, 6)),
            }
    return rows


def _of_all(rows: Mapping[str, Row], truth: Truth) -> Row:
    """Return the day's profit of all portfolios, where it can be added up, and the worst of their drawdowns."""
    parts = [rows[f"portfolio:{code}"] for code in truth.portfolios]
    profits = [part["day_profit"] for part in parts if part["currency"] == truth.currency]
    known = len(profits) == len(parts) > 0 and None not in profits
    drawdowns = [Decimal(str(part["drawdown"])) for part in parts if part["drawdown"] is not None]
    return {
        "day_profit": amount(sum((Decimal(str(profit)) for profit in profits), Decimal(0))) if known else None,
        "drawdown": amount(max(drawdowns)) if drawdowns else None,
    }


def _figures(truth: Truth) -> Iterator[tuple[str, Figures]]:
    yield "total", truth.total
    groups = {
        "portfolio": truth.portfolios,
        "account": truth.accounts,
        "venue": truth.venues,
        "strategy": truth.strategies,
        "asset": truth.assets,
    }
    for kind, group in groups.items():
        for key, figures in sorted(group.items()):
            yield f"{kind}:{key}", figures


def _scope(name: str) -> ScopeId:
    kind, _, key = name.partition(":")
    return kind, key


def _row(name: str, figures: Figures) -> dict[str, object]:
    kind, key = _scope(name)
    amounts = {column: amount(getattr(figures, column)) for column in AMOUNTS}
    return {
        "kind": kind,
        "key": key,
        "currency": figures.currency,
        **amounts,
        "net_profit": amount(figures.net_profit),
        "why": figures.why,
        "at": moment(figures.taken_at),
    }


def _marked(mark: Mark | None, figures: Figures, lost: Decimal | None) -> Mapping[str, object]:
    drawdown = None if mark is None else mark.fresh_drawdown
    profit = None if lost is None or figures.equity is None or lost >= 1 else -lost * figures.equity / (1 - lost)
    return {
        "peak": None if mark is None else amount(mark.peak),
        "drawdown": None if drawdown is None else amount(round(drawdown, 6)),
        "day_profit": None if profit is None else amount(round(profit, 8)),
    }
