"""Every sizing rule as of one moment, with what Kelly and equal risk have to know besides."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from apps.exchanges.models import DataWish
from apps.risk.models import Allocation, Sizing, StrategyTrades
from apps.risk.sizing.kelly import TradeRecord
from apps.risk.sizing.rule import PLAIN, SizingMethod, SizingRule


@dataclass(frozen=True, slots=True)
class SizingBook:
    """Rules by strategy, records of trades by strategy, and how many strategies each portfolio has."""

    rules: Mapping[str, SizingRule] = field(default_factory=dict)
    trades: Mapping[str, TradeRecord] = field(default_factory=dict)
    peers: Mapping[str, int] = field(default_factory=dict)

    def rule(self, strategy: str) -> SizingRule:
        """Return the rule of `strategy`; by weight when it has none."""
        return self.rules.get(strategy, PLAIN)


def read_sizing(strategies: Collection[str]) -> SizingBook:
    """Read the rules of `strategies`: one query, and one more each where Kelly and equal risk are among them.

    Raises InvalidValue for a row that somebody has put past the forms.
    """
    rules = {row.strategy: row.to_rule() for row in Sizing.objects.filter(strategy__in=strategies)}
    kelly = [strategy for strategy, rule in rules.items() if rule.method is SizingMethod.KELLY]
    shares = any(rule.method is SizingMethod.EQUAL_RISK for rule in rules.values())
    return SizingBook(rules, _read_trades(kelly) if kelly else {}, _read_peers() if shares else {})


def _read_trades(strategies: Collection[str]) -> dict[str, TradeRecord]:
    return {row.strategy: row.to_record() for row in StrategyTrades.objects.filter(strategy__in=strategies)}


def _read_peers() -> dict[str, int]:
    """Return how many strategies of each portfolio have capital and run: only who runs has market data streamed."""
    running = DataWish.objects.values("owner")
    alive = Allocation.objects.filter(capital__gt=0, strategy__in=running)
    return Counter(alive.values_list("account__portfolio_id", flat=True))
