"""What the review has to know about a strategy besides the market, frozen for one tick."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from apps.exchanges.execution.gate import strictest
from apps.exchanges.models import ScopeKind, TradingMode, TradingState
from apps.risk.allocations import allocations_remember
from apps.risk.breakers.half_open import read_half_open
from apps.risk.correlation.book import Shared, read_shared
from apps.risk.day_loss import DayLoss, read_day_losses
from apps.risk.limits import LimitBook, read_limits
from apps.risk.loads import KINDS as LOAD_KINDS
from apps.risk.loads import Loads, read_loads
from apps.risk.models import LimitKind
from apps.risk.portfolio.drawdown import Mark, drawdown_share, read_marks
from apps.risk.portfolio.equity import Counted, Equities, counted, read_equities
from apps.risk.rules.book import Rule, read_rules
from apps.risk.scope import ScopeId, StrategyScope
from apps.risk.sizing.book import read_sizing
from apps.risk.sizing.kelly import NO_TRADES, TradeRecord
from apps.risk.sizing.rule import PLAIN, SizingRule
from moondev.domain.instruments import Instrument

ONE = Decimal(1)


@dataclass(frozen=True, slots=True)
class RiskFacts:
    """Limits, trading modes, equities and drawdowns of one strategy.

    Amounts are in the currency of the scope. None means "not known now", never zero: the checks that
    need it then refuse to open. Drawdowns are shares of the peak (0.15 is 15 %). `half_open` are the parts of its size
    to which breakers hold a scope while they are half open, `rules` the operator's own, `read_at` when all this was.
    `sizing` is the strategy's rule, `trades` its record of closed trades, `peers` the number of its portfolio's
    strategies. `copies` are the strategies that share a limit with it, `alike` the assets that do, each by its name.
    `margin_used` is what the account's venue has tied up, `loads` what the scopes of the portfolio carry,
    `day_loss` what the portfolio lost today; the last two are read only while there are limits on them.
    """

    scope: StrategyScope
    limits: LimitBook
    modes: Mapping[ScopeId, TradingMode]
    portfolio_equity: Decimal | None
    account_equity: Decimal | None
    strategy_equity: Decimal | None
    portfolio_drawdown: Decimal | None
    strategy_drawdown: Decimal | None
    equities: Equities | None = None
    half_open: Mapping[ScopeId, Decimal] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    read_at: datetime | None = None
    sizing: SizingRule = PLAIN
    trades: TradeRecord = NO_TRADES
    peers: int = 1
    copies: Shared | None = None
    alike: Mapping[str, Shared] = field(default_factory=dict)
    margin_used: Decimal | None = None
    loads: Loads | None = None
    day_loss: DayLoss | None = None

    def at(self, scope: StrategyScope) -> RiskFacts:
        """Return the same strategy's facts on another account of its portfolio."""
        equity, margin = None, None
        if self.equities is not None:
            equity, margin = self.equities.account(scope.account), self.equities.margin(scope.account)
        return replace(self, scope=scope, account_equity=equity, margin_used=margin)

    @property
    def currency(self) -> str:
        """Return in what the portfolio counts, and with it limits in money."""
        own = self.scope.currency
        return own if self.equities is None else self.equities.currencies.get(self.scope.portfolio, own)

    @property
    def worth(self) -> Decimal | None:
        """Return the most that a unit of any of its accounts is worth to the portfolio; None: not known."""
        return ONE if self.equities is None else self.equities.dearest.get(self.scope.portfolio, ONE)

    def limit(self, kind: LimitKind, instrument: Instrument) -> Decimal | None:
        """Return the tightest limit of `kind` on an order in `instrument`; None when there is none."""
        return self.limits.tightest(kind, self.scope.around(instrument))

    def size_share(self, instrument: str) -> Decimal:
        """Return the part of its size that the strategy may hold: that of the strictest half-open breaker around it."""
        if not self.half_open:
            return Decimal(1)
        shares = (self.half_open.get(scope) for scope in self.scope.containing(instrument))
        return min((share for share in shares if share is not None), default=Decimal(1))

    @property
    def counted(self) -> Counted:
        """Return the equities from which bounds of the exposure counters are taken."""
        return counted(
            self.equities,
            portfolio=self.scope.portfolio,
            account=self.scope.account,
            portfolio_equity=self.portfolio_equity,
            strategy_equity=self.strategy_equity,
        )

    def mode(self, instrument: str) -> TradingMode:
        """Return the strictest mode of all scopes around an order in `instrument`.

        A portfolio or account without a row of its own is HALTED: silence is safe.
        """
        must_exist = {ScopeKind.PORTFOLIO.value, ScopeKind.ACCOUNT.value}
        modes = (
            self.modes.get(scope, TradingMode.HALTED if scope[0] in must_exist else TradingMode.ACTIVE)
            for scope in self.scope.containing(instrument)
        )
        return strictest(modes)


def load_facts(scopes: Sequence[StrategyScope], now: datetime) -> dict[str, RiskFacts]:
    """Read the facts of many strategies, by slug, in a number of queries that does not grow with them.

    Also keeps the allocations in step, from which the guard knows whose drawdown to watch.
    """
    allocations_remember(scopes, now)
    limits = read_limits()
    modes = _read_modes()
    portfolios = {scope.portfolio for scope in scopes}
    equities = read_equities(portfolios, now)
    marks = read_marks(_marked_scopes(scopes), now)
    half_open, rules = read_half_open(), read_rules()
    loads = read_loads(portfolios, now) if any(limits.of(kind) for kind in LOAD_KINDS) else {}
    losses = read_day_losses(portfolios, now) if limits.of(LimitKind.DAY_LOSS) else {}
    sizing = read_sizing([scope.strategy for scope in scopes])
    worth = {scope.portfolio: equities.at_least(scope.portfolio) for scope in scopes}
    shared = read_shared(scopes, limits, worth, now)
    facts = {scope.strategy: _facts_of(scope, limits, modes, equities, marks) for scope in scopes}
    return {
        strategy: replace(
            found,
            half_open=half_open,
            rules=rules,
            read_at=now,
            sizing=sizing.rule(strategy),
            trades=sizing.trades.get(strategy, NO_TRADES),
            peers=sizing.peers.get(found.scope.portfolio, 1),
            copies=shared.strategies.get(strategy),
            alike=shared.assets.get(found.scope.portfolio, {}),
            loads=loads.get(found.scope.portfolio),
            day_loss=losses.get(found.scope.portfolio),
        )
        for strategy, found in facts.items()
    }


def _facts_of(
    scope: StrategyScope,
    limits: LimitBook,
    modes: Mapping[ScopeId, TradingMode],
    equities: Equities,
    marks: Mapping[ScopeId, Mark],
) -> RiskFacts:
    portfolio_equity = equities.at_least(scope.portfolio)
    portfolio_mark = marks.get((ScopeKind.PORTFOLIO.value, scope.portfolio))
    strategy_mark = marks.get((ScopeKind.STRATEGY.value, scope.strategy))
    return RiskFacts(
        scope=scope,
        limits=limits,
        modes=modes,
        portfolio_equity=portfolio_equity,
        account_equity=equities.account(scope.account),
        strategy_equity=strategy_mark.fresh_equity if strategy_mark else None,
        portfolio_drawdown=_portfolio_drawdown(portfolio_equity, equities.portfolio(scope.portfolio), portfolio_mark),
        strategy_drawdown=strategy_mark.fresh_drawdown if strategy_mark else None,
        equities=equities,
        margin_used=equities.margin(scope.account),
    )


def _portfolio_drawdown(at_least: Decimal | None, known: Decimal | None, mark: Mark | None) -> Decimal | None:
    """Return the drawdown; zero before the guard's first mark, as the first equity is the first peak.

    While a part of the portfolio is out of sight the guard marks nothing; the drawdown is then that of what is left.
    """
    if at_least is None or at_least <= 0:
        return None
    if mark is None:
        return Decimal(0)
    return mark.fresh_drawdown if known is not None else drawdown_share(mark.peak, at_least)


def _marked_scopes(scopes: Iterable[StrategyScope]) -> set[ScopeId]:
    portfolios = {(ScopeKind.PORTFOLIO.value, scope.portfolio) for scope in scopes}
    return portfolios | {(ScopeKind.STRATEGY.value, scope.strategy) for scope in scopes}


def _read_modes() -> dict[ScopeId, TradingMode]:
    rows = TradingState.objects.values_list("scope_kind", "scope_key", "mode")
    return {(kind, key): TradingMode(mode) for kind, key, mode in rows}
