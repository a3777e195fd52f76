"""Whose money the replay moves: one portfolio with one account, worth what the backtest is worth."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Protocol

from apps.exchanges.models import ScopeKind, TradingMode
from apps.risk.facts import RiskFacts
from apps.risk.limits import LimitBook
from apps.risk.models import LIVE_ONLY, LimitKind
from apps.risk.portfolio.drawdown import drawdown_share
from apps.risk.scope import ScopeId, StrategyScope
from apps.risk.services import SEED_LIMITS
from apps.risk.sizing.kelly import NO_TRADES
from apps.risk.sizing.rule import PLAIN, SizingRule
from apps.strategies.backtest.replaying.tracks import exact
from moondev.domain.errors import InvalidValue
from moondev.domain.instruments import Instrument

NAME = "backtest"
_SCOPE = (ScopeKind.PORTFOLIO.value, NAME)
_MODES: Mapping[ScopeId, TradingMode] = MappingProxyType(
    {_SCOPE: TradingMode.ACTIVE, (ScopeKind.ACCOUNT.value, NAME): TradingMode.ACTIVE}
)


class Funded(Protocol):
    """The money of a setting, whatever it replays, and what is traded with it."""

    @property
    def instruments(self) -> Mapping[str, Instrument]:
        """Return the instruments by key."""
        ...

    @property
    def capital(self) -> Decimal:
        """Return the money, in the instruments' quote currency."""
        ...

    @property
    def leverage(self) -> Decimal:
        """Return the notional that may be held per unit of equity."""
        ...

    @property
    def limits(self) -> Mapping[str, Decimal]:
        """Return the bounds other than those every portfolio begins with, by kind."""
        ...


def scope_of(setting: Funded, strategy: str) -> StrategyScope:
    """Return the scope of `strategy` with the setting's money."""
    first = next(iter(setting.instruments.values()))
    return StrategyScope(
        strategy=strategy,
        account_id=1,
        account=NAME,
        portfolio=NAME,
        venue=first.venue,
        currency=first.quote,
        capital=setting.capital,
        leverage=setting.leverage,
    )


def limits_of(setting: Funded) -> Mapping[LimitKind, Decimal]:
    """Return the limits that bind: those every portfolio begins with, but for what the setting says.

    Raises InvalidValue for a kind there is none of, one that only live trading can measure, and a bound not above zero.
    """
    known = [kind.value for kind in LimitKind if kind not in LIVE_ONLY]
    given: dict[LimitKind, Decimal] = {}
    for name, value in setting.limits.items():
        if name not in known or not (value.is_finite() and value > 0):
            raise InvalidValue("limits", f"{name}: {value}", f"a bound above 0 on one of {', '.join(known)}")
        given[LimitKind(name)] = value
    return {**{kind: value for kind, value in SEED_LIMITS.items() if kind not in LIVE_ONLY}, **given}


class Purse:
    """What the money is worth and was worth at most, as the facts that the review asks for."""

    def __init__(self, scope: StrategyScope, limits: Mapping[LimitKind, Decimal], sizing: SizingRule = PLAIN) -> None:
        """Begin with the scope's capital under `limits`, all of them on the whole portfolio."""
        self._scope, self._sizing = scope, sizing
        self.trades = NO_TRADES
        self._limits = LimitBook({(kind.value, *_SCOPE): value for kind, value in limits.items()})
        self.peak = scope.capital

    def saw(self, profit: float) -> None:
        """Note that the capital had earned `profit` at some moment: drawdown counts from the best of them."""
        self.peak = max(self.peak, self._scope.capital + exact(profit))

    def facts(self, equity: Decimal) -> RiskFacts:
        """Return the facts while the money is worth `equity`."""
        self.peak = max(self.peak, equity)
        drawdown = drawdown_share(self.peak, equity)
        return RiskFacts(
            scope=self._scope,
            limits=self._limits,
            modes=_MODES,
            portfolio_equity=equity,
            account_equity=equity,
            strategy_equity=equity,
            portfolio_drawdown=drawdown,
            strategy_drawdown=drawdown,
            sizing=self._sizing,
            trades=self.trades,
        )
