"""What everything is worth, risks and has made; how far it has fallen; how far ledger and venue are apart."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta

from prometheus_client.metrics_core import Metric

from apps.exchanges.bulk import fetch
from apps.exchanges.models import ScopeKind
from apps.monitor.metrics.told import Sample, Told
from apps.risk.models import HighWaterMark, Level
from apps.risk.portfolio.drawdown import drawdown_share
from apps.risk.portfolio.equity import is_fresh
from apps.risk.portfolio.truth import read_truths
from moondev.domain.clock import process_clock

_WHOSE = ("environment", "level", "key", "currency")
# Which figure of the truth each of them is.
FIGURES: dict[str, Told] = {
    "equity": Told("moondev_equity", "What it is worth.", _WHOSE),
    "gross_exposure": Told("moondev_exposure_gross", "Its positions at the venues' marks, without direction.", _WHOSE),
    "net_exposure": Told("moondev_exposure_net", "Its positions at the venues' marks, long less short.", _WHOSE),
    "margin_used": Told("moondev_margin_used", "What its positions tie up.", _WHOSE),
    "margin_free": Told("moondev_margin_free", "What it has free.", _WHOSE),
    "realised": Told("moondev_profit_realised", "Profit of prices that has been taken, before fees.", _WHOSE),
    "unrealised": Told("moondev_profit_unrealised", "Profit of prices that is still open.", _WHOSE),
    "fees": Told("moondev_fees", "Fees paid.", _WHOSE),
    "funding": Told("moondev_funding", "Funding received, less what was paid.", _WHOSE),
    "slippage": Told("moondev_slippage", "What fills cost against the price at which they were planned.", _WHOSE),
}
NET = Told("moondev_profit_net", "Profit of prices less fees, plus funding.", _WHOSE)
AGE = Told("moondev_truth_age_seconds", "Since the guard last wrote these figures, real seconds.", ("environment",))
DRAWDOWN = Told("moondev_drawdown_ratio", "Share lost since the peak, moved money aside.", ("scope_kind", "scope_key"))
DRIFT = Told(
    "moondev_reconciliation_drift", "What the venue says the account is worth, less what our ledger says.",
    ("account", "venue", "currency"),
)  # fmt: skip
_ACCOUNT = ("account", "venue")
DRIFT_AGE = Told("moondev_reconciliation_age_seconds", "Since both were last compared, real seconds.", _ACCOUNT)
DIFFERING = Told("moondev_positions_differing", "Positions of which ledger and venue hold different sizes.", _ACCOUNT)
UNRECONCILED = Told(
    "moondev_account_unreconciled", "1 while a silence of its stream has yet to be asked about.", _ACCOUNT
)

TRUTH = (*FIGURES.values(), NET, AGE)
MARKS = (DRAWDOWN,)
DRIFTS = (DRIFT, DRIFT_AGE, DIFFERING, UNRECONCILED)

# An account that was not compared for so long has no drift that is known.
LOOKED_BACK = timedelta(days=1)
_LATEST = (
    "SELECT a.code, a.venue_id, a.currency, jsonb_array_length(a.differing), a.unreconciled, m.taken_at,"
    " m.venue_equity - m.ledger_equity FROM exchanges_account a LEFT JOIN LATERAL ("
    "SELECT taken_at, venue_equity, ledger_equity FROM exchanges_equitymark WHERE account_id = a.id"
    " AND ledger_equity IS NOT NULL AND taken_at > %s ORDER BY taken_at DESC LIMIT 1) m ON true WHERE a.enabled"
    " ORDER BY a.code"
)


def read_money(now: datetime, strategies: Collection[str]) -> Iterator[Metric]:
    """Yield the portfolio truth of every environment, by what each row is about. One question."""
    samples: dict[str, list[Sample]] = {name: [] for name in (*FIGURES, "net")}
    ages: list[Sample] = []
    for environment, truth in read_truths(now).items():
        if truth.total.taken_at is not None:
            ages.append(((environment,), _age(truth.total.taken_at, now)))
        levels = (
            (Level.TOTAL, {environment: truth.total}), (Level.PORTFOLIO, truth.portfolios),
            (Level.ACCOUNT, truth.accounts), (Level.VENUE, truth.venues), (Level.STRATEGY, truth.strategies),
            (Level.ASSET, truth.assets),
        )  # fmt: skip
        for level, rows in levels:
            for key, figures in rows.items():
                if level is Level.STRATEGY and key not in strategies:
                    continue
                whose = (environment, level.value, key, figures.currency)
                for name in FIGURES:
                    samples[name].append((whose, getattr(figures, name)))
                samples["net"].append((whose, figures.net_profit))
    for name, told in FIGURES.items():
        yield told.family(samples[name])
    yield NET.family(samples["net"])
    yield AGE.family(ages)


def read_drawdowns(now: datetime, strategies: Collection[str]) -> Iterator[Metric]:
    """Yield how far each scope has fallen from its peak, where it was marked lately. One question."""
    rows = HighWaterMark.objects.values_list("scope_kind", "scope_key", "peak", "equity", "marked_at")
    yield DRAWDOWN.family(
        ((kind, key), drawdown_share(peak, equity))
        for kind, key, peak, equity, at in rows
        if is_fresh(at, now) and (kind != ScopeKind.STRATEGY or key in strategies)
    )


def read_drifts(now: datetime, strategies: Collection[str]) -> Iterator[Metric]:  # noqa: ARG001  as every source
    """Yield how far the books of each account are from the venue's, by the latest comparison. One question."""
    rows = fetch(_LATEST, (now - LOOKED_BACK,))
    yield DRIFT.family(((code, venue, currency), drift) for code, venue, currency, _, _, _, drift in rows)
    yield DRIFT_AGE.family(((row[0], row[1]), None if row[5] is None else _age(row[5], now)) for row in rows)
    yield DIFFERING.family(((row[0], row[1]), row[3]) for row in rows)
    yield UNRECONCILED.family(((row[0], row[1]), float(row[4])) for row in rows)


def _age(moment: datetime, now: datetime) -> float:
    return process_clock().wall_seconds((now - moment).total_seconds())
