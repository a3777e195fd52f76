"""Where a breaker's reading comes from, in one pass of the guard. Each is taken once, however many breakers ask."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

from apps.exchanges.models import Account, ScopeKind
from apps.exchanges.venue_types import AccountSnapshot
from apps.risk.breakers import readings
from apps.risk.breakers.load import HostLoad
from apps.risk.breakers.readings import Readings
from apps.risk.breakers.silence import Silence
from apps.risk.evidence import Evidence, accounts_of
from apps.risk.limits import read_limits
from apps.risk.models import Breaker, Metric
from apps.risk.portfolio.drawdown import Mark
from apps.risk.portfolio.strategy_equity import read_watched
from apps.risk.scope import ScopeId
from apps.risk.unexplained import read_gaps
from moondev.domain.clock import Clock
from moondev.domain.values import ZERO

_OF_EQUITY = frozenset({Metric.DAY_LOSS, Metric.STRATEGY_DRAWDOWN, Metric.PORTFOLIO_DRAWDOWN})


@dataclass(frozen=True, slots=True)
class OwnLooks:
    """What one process has seen over many passes: its machine, and which venues did not answer it."""

    load: HostLoad = field(default_factory=HostLoad)
    silence: Silence = field(default_factory=Silence)
    evidence: Evidence = field(default_factory=Evidence)


class Sources:
    """What one pass has seen: the accounts, which of them answered, and the marks taken."""

    def __init__(
        self,
        accounts: Sequence[Account],
        heard: Mapping[int, AccountSnapshot],
        marks: Mapping[ScopeId, Mark],
        own: OwnLooks,
        clock: Clock,
    ) -> None:
        self._accounts, self._heard, self._marks = accounts, heard, marks
        self._load, self._silence, self._evidence = own.load, own.silence, own.evidence
        self._clock, self._now = clock, clock.now()
        self._taken: dict[tuple[str, int], Readings] = {}
        self._missing: dict[str, Decimal] = {}
        self._news: dict[ScopeId, bool] = {}

    def read(self, breaker: Breaker) -> Readings:
        """Return the reading of each scope in which the breaker looks; None where it is not known.

        A scope whose accounts have not all answered anew since its last reading is left out of this pass: a wrong
        answer must not be counted twice because it is repeated while others have their turn.

        A loss that would trip it is not known while it would be none without the money that is missing and that no
        trade took: a withdrawal that nobody has booked yet looks like a loss, and the guard has an answer of its own
        to that. Missing money hides no loss beside it.
        """
        key = (breaker.metric, breaker.window_seconds)
        if key not in self._taken:
            self._taken[key] = self._take(Metric(breaker.metric), timedelta(seconds=breaker.window_seconds))
        found = self._taken[key]
        if breaker.metric in _OF_EQUITY:
            found = self._new(found)
        if breaker.metric not in {Metric.DAY_LOSS, Metric.PORTFOLIO_DRAWDOWN}:
            return found
        return {
            scope: None if value is not None and self._explained(scope, value, breaker.threshold) else value
            for scope, value in found.items()
        }

    def _new(self, found: Readings) -> Readings:
        asked = [scope for scope in found if scope not in self._news]
        for scope, accounts in accounts_of(asked, self._accounts, read_watched() if asked else ()).items():
            self._news[scope] = self._evidence.is_new(scope, accounts, self._heard)
        # What is not known is said all the same: it changes no breaker, and is shown.
        return {scope: value for scope, value in found.items() if value is None or self._news[scope]}

    def _explained(self, scope: ScopeId, loss: Decimal, threshold: Decimal) -> bool:
        return loss >= threshold > loss - self._missing_share(scope)

    def _take(self, metric: Metric, window: timedelta) -> Readings:
        take: Mapping[Metric, Callable[[], Readings]] = {
            Metric.DAY_LOSS: lambda: readings.day_losses(self._now),
            Metric.STRATEGY_DRAWDOWN: lambda: readings.drawdowns(metric, self._marks),
            Metric.PORTFOLIO_DRAWDOWN: lambda: readings.drawdowns(metric, self._marks),
            Metric.ORDER_LATENCY: lambda: readings.venue_quality(metric, window, self._now),
            Metric.ERROR_RATE: lambda: readings.venue_quality(metric, window, self._now),
            Metric.VENUES_DOWN: lambda: readings.venues_down(self._silence, window),
            Metric.POSITION_AGE: lambda: readings.position_ages(read_watched(), read_limits(), self._clock),
            Metric.CPU: lambda: readings.host_load(metric, self._load, window),
            Metric.MEMORY: lambda: readings.host_load(metric, self._load, window),
            Metric.CREDENTIAL_ALARMS: lambda: readings.credential_alarms(window, self._now),
        }
        return take[metric]()

    def _missing_share(self, scope: ScopeId) -> Decimal:
        """Return how much is missing as a share of the portfolio's peak; all of it when that is not known."""
        kind, code = scope
        if kind != ScopeKind.PORTFOLIO:
            return ZERO
        if code not in self._missing:
            members = [account for account in self._accounts if account.portfolio_id == code]
            missing = sum((gap.missing for gap in read_gaps(members, self._heard, self._now)), ZERO)
            mark = self._marks.get(scope)
            peak = ZERO if mark is None else mark.peak
            self._missing[code] = missing / peak if peak > 0 else Decimal(bool(missing))
        return self._missing[code]
