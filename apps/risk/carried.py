"""What the portfolios of a shard carry while its orders are being reserved, one after the other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from apps.exchanges.models import ScopeKind
from apps.risk.facts import RiskFacts
from apps.risk.loads import KINDS, NOTHING, Load, Loads, margin_of, read_loads
from apps.risk.models import LimitKind
from apps.risk.overload import MEASURES, find_overload
from apps.risk.reserve_item import ReserveItem
from apps.risk.scope import ScopeId
from moondev.domain.decisions import RefusalCode, RiskRefused


class Carried:
    """The loads of every portfolio as they are with the exposure counters locked, and what was kept since."""

    def __init__(self, before: Mapping[str, Loads]) -> None:
        """Begin with what was read, by portfolio."""
        self._before = before
        self._now: dict[str, dict[ScopeId, Load]] = {code: {} for code in before}

    @classmethod
    def read(cls, items: Sequence[ReserveItem], facts: Iterable[RiskFacts]) -> Carried:
        """Read the loads of the portfolios in which something opens, unless no limit asks for them; one query."""
        opened = {item.scope.portfolio for item in items if not item.reduces}
        limited = [one for one in facts if any(one.limits.of(kind) for kind in KINDS)]
        moments = [one.read_at for one in limited if one.read_at is not None]
        return cls(read_loads(opened, max(moments)) if opened and moments else {})

    def refusal(self, item: ReserveItem, facts: RiskFacts | None) -> RiskRefused | None:
        """Return the first limit that an opening order would overrun; None when it fits everywhere."""
        if facts is None:
            return None  # refused already, for want of them
        order, around = item.approved.request, item.scope.around(item.instrument)
        if item.scope.portfolio not in self._before:
            unread = [kind.value for kind in LimitKind if kind in KINDS and facts.limits.tightest(kind, around)]
            return RiskRefused(order, RefusalCode.LOAD_UNKNOWN, unread[0], "not known now") if unread else None
        for measure in MEASURES:
            over = find_overload(measure, facts, around, lambda scope: self._after(item, scope), order.side)
            if over is not None:
                return RiskRefused(order, over.code, over.allowed, over.found)
        return self._margin(item, facts, around)

    def add(self, item: ReserveItem) -> None:
        """Count an order that was kept, an exit too: it is one more that is open."""
        now = self._now.get(item.scope.portfolio)
        if now is not None:
            now.update({scope: self._after(item, scope) for scope in item.scope.around(item.instrument)})

    def _margin(self, item: ReserveItem, facts: RiskFacts, around: Iterable[ScopeId]) -> RiskRefused | None:
        order, share = item.approved.request, facts.limits.tightest(LimitKind.MARGIN_SHARE, around)
        if share is None:
            return None
        if facts.account_equity is None or facts.margin_used is None:
            return RiskRefused(order, RefusalCode.EQUITY_UNKNOWN, "the account's equity and margin", "not known now")
        after = self._after(item, (ScopeKind.ACCOUNT.value, item.scope.account))
        allowed, needed = share * facts.account_equity, margin_of(after, facts.margin_used)
        return RiskRefused(order, RefusalCode.MARGIN_EXCEEDED, allowed, round(needed, 8)) if needed > allowed else None

    def _after(self, item: ReserveItem, scope: ScopeId) -> Load:
        code = item.scope.portfolio
        load = self._now[code].get(scope) or self._before[code].get(scope, NOTHING)
        return load.with_order(item.approved.request.side, item.amount, item.margin, placed=1)
