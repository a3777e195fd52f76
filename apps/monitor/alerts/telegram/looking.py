"""Commands that look: what is running, what is held, what it has made."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from decimal import Decimal

from apps.exchanges.admin.amounts import plain
from apps.exchanges.models import Position, ScopeKind, TradingMode, TradingState
from apps.monitor.models import Alert, AlertState
from apps.risk.portfolio.figures import Amount, Figures
from apps.risk.portfolio.truth import read_truth
from apps.risk.stopping import status as halts
from apps.strategies.admin.overview import state_of
from apps.strategies.models import StrategyRow

# Lines; a phone is small and a message holds 4096 characters.
LONGEST = 30
OPEN = (AlertState.FIRING, AlertState.ACKNOWLEDGED)


def status(now: datetime) -> str:
    """Return what trades, what does not, and what is wrong."""
    rows = list(StrategyRow.objects.order_by("slug"))
    states = Counter(state_of(row) for row in rows)
    everything = TradingState.objects.filter(scope_kind=ScopeKind.EVERYTHING).first()
    stopped = TradingState.objects.exclude(mode=TradingMode.ACTIVE).order_by("scope_kind", "scope_key")
    lines = [
        f"{now:%Y-%m-%d %H:%M:%S} UTC",
        f"trading: {everything.mode if everything else TradingMode.HALTED.value}",
        f"strategies: {', '.join(f'{count} {state}' for state, count in sorted(states.items())) or 'none'}",
    ]
    lines += [f"  {row.slug} is paused: {row.paused_reason}" for row in rows if state_of(row) == "paused"]
    lines += [f"  {row.scope_kind}:{row.scope_key} is {row.mode}: {row.reason}" for row in stopped]
    lines += [f"  under way at {veto.venue_id}: {veto.stage}" for veto in halts().unfinished]
    alerts = sorted(
        Alert.objects.filter(state__in=OPEN).order_by("-pk"), key=lambda alert: alert.severity != "critical"
    )
    lines += [f"alerts: {len(alerts)}"]
    lines += [f"  {alert.pk} {alert.severity}: {alert.title} ({alert.scope}), {alert.state}" for alert in alerts]
    return shortened(lines)


def positions() -> str:
    """Return what is held, by owner."""
    rows = Position.objects.exclude(quantity=0).select_related("instrument").order_by("strategy", "instrument")
    return shortened(
        [f"{row.strategy}: {plain(row.quantity)} {row.instrument.key} at {plain(_entry(row))}" for row in rows]
        or ["nothing is held"]
    )


def pnl(now: datetime) -> str:
    """Return what everything is worth and has made, and each strategy's part."""
    truth = read_truth(now)
    total = truth.total
    lines = [
        f"{truth.environment}, in {truth.currency}",
        f"equity {_amount(total.equity)}, exposure {_amount(total.gross_exposure)}",
        f"net profit {_amount(total.net_profit)}: {_parts(total)}",
        *([total.why] if total.why else []),
        *(f"  {slug}: {_amount(one.net_profit)}" for slug, one in sorted(truth.strategies.items())),
    ]
    return shortened(lines)


def shortened(lines: list[str]) -> str:
    """Return the first lines, and how many there are more."""
    more = len(lines) - LONGEST
    return "\n".join([*lines[:LONGEST], f"… and {more} more"] if more > 0 else lines)


def _entry(row: Position) -> Decimal:
    """Return the average price that was paid, to eight digits."""
    entry: Decimal = row.cost / row.quantity
    return entry.quantize(Decimal("1E-8"))


def _parts(one: Figures) -> str:
    return f"prices {_amount(one.gross_profit)}, fees {_amount(one.fees)}, funding {_amount(one.funding)}"


def _amount(amount: Amount) -> str:
    return "unknown" if amount is None else f"{amount:,.2f}"
