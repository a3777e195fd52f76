"""What each scope of a portfolio carries: exposure each way, margin, open orders, and how many were placed lately.

Read from orders and positions, so no counter can drift. A portfolio is the pot: what "everything", a venue or an asset
carries is what this portfolio has there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from types import MappingProxyType

from apps.exchanges.bulk import fetch
from apps.risk.models import LimitKind
from apps.risk.scope import ScopeId
from moondev.domain.orders import NON_FINAL
from moondev.domain.values import ZERO, Side

LATELY = timedelta(minutes=1)
_STATUSES = ", ".join(f"'{status.value}'" for status in sorted(NON_FINAL))
# The statuses are spelt out, as constants of this program, so that the partial index is used. A protective order
# excludes its twin and follows its position, but at the venue it is an order like every other.
_READ = f"""
WITH ours AS (SELECT id FROM exchanges_account WHERE portfolio_id = ANY(%s)),
part AS (
    SELECT o.account_id, o.strategy, o.instrument_id,
           0::numeric AS net, 0::numeric AS held,
           COALESCE(sum(o.reserved) FILTER (WHERE o.side = 'buy'), 0) AS buys,
           COALESCE(sum(o.reserved) FILTER (WHERE o.side = 'sell'), 0) AS sells,
           count(*) AS orders, 0::bigint AS recent
      FROM exchanges_order o
     WHERE o.status IN ({_STATUSES}) AND o.account_id IN (SELECT id FROM ours)
     GROUP BY 1, 2, 3
    UNION ALL
    SELECT p.account_id, p.strategy, p.instrument_id, sum(p.cost), sum(abs(p.cost)), 0, 0, 0, 0
      FROM exchanges_position p
     WHERE p.cost <> 0 AND p.account_id IN (SELECT id FROM ours)
     GROUP BY 1, 2, 3
    UNION ALL
    SELECT o.account_id, o.strategy, o.instrument_id, 0, 0, 0, 0, 0, count(*)
      FROM exchanges_order o
     WHERE o.created_at > %s AND o.status <> 'refused' AND o.account_id IN (SELECT id FROM ours)
     GROUP BY 1, 2, 3
)
SELECT a.portfolio_id, s.kind, s.key, sum(part.net), sum(part.held), sum(part.buys), sum(part.sells),
       sum(part.held / GREATEST(i.max_leverage, 1)),
       sum((part.buys + part.sells) / GREATEST(i.max_leverage, 1)),
       sum(part.orders)::int, sum(part.recent)::int
  FROM part
  JOIN exchanges_account a ON a.id = part.account_id
  JOIN exchanges_instrument i ON i.id = part.instrument_id
 CROSS JOIN LATERAL (VALUES
    ('everything', '*'), ('portfolio', a.portfolio_id), ('venue', a.venue_id), ('account', a.code),
    ('strategy', part.strategy), ('asset', i.asset), ('instrument', i.venue_id || ':' || i.symbol)
 ) AS s(kind, key)
 GROUP BY 1, 2, 3
"""  # noqa: S608  only constants of this program are spliced in


@dataclass(frozen=True, slots=True)
class Load:
    """What one scope carries, money in the portfolio's currency and at cost.

    `net` is the signed worth of its positions and `held` their worth whichever way; `buys` and `sells` what working
    orders may yet add. `margin_held` and `margin_working` are what the venue ties up for both at the most leverage it
    gives. `orders` are open now, `recent` were placed in the last minute.
    """

    net: Decimal = ZERO
    held: Decimal = ZERO
    buys: Decimal = ZERO
    sells: Decimal = ZERO
    margin_held: Decimal = ZERO
    margin_working: Decimal = ZERO
    orders: int = 0
    recent: int = 0

    @property
    def gross(self) -> Decimal:
        """Return what is held, whichever way, with what may yet be added."""
        return self.held + self.buys + self.sells

    def net_towards(self, side: Side) -> Decimal:
        """Return how far the scope may come to lean to one side, when every order of that side fills and no other."""
        return self.net + self.buys if side is Side.BUY else self.sells - self.net

    def with_order(self, side: Side, amount: Decimal, margin: Decimal, *, placed: int) -> Load:
        """Return the load after an order for `amount`; `placed` is 0 for one that is only changed."""
        return replace(
            self,
            buys=self.buys + amount if side is Side.BUY else self.buys,
            sells=self.sells + amount if side is Side.SELL else self.sells,
            margin_working=self.margin_working + margin,
            orders=self.orders + placed,
            recent=self.recent + placed,
        )


NOTHING = Load()
Loads = Mapping[ScopeId, Load]


# Every kind of limit that is held against loads.
KINDS = frozenset(
    {
        LimitKind.MAX_GROSS_EXPOSURE, LimitKind.MAX_NET_EXPOSURE, LimitKind.MAX_OPEN_ORDERS,
        LimitKind.ORDERS_PER_MINUTE, LimitKind.MARGIN_SHARE,
    }
)  # fmt: skip


def read_loads(portfolios: Collection[str], now: datetime) -> dict[str, Loads]:
    """Return what each scope of each portfolio carries, in one query."""
    found: defaultdict[str, dict[ScopeId, Load]] = defaultdict(dict)
    for portfolio, kind, key, *figures in fetch(_READ, (sorted(portfolios), now - LATELY)):
        found[portfolio][(kind, key)] = Load(*figures)
    return {code: MappingProxyType(found[code]) for code in portfolios}


def margin_of(load: Load, used: Decimal) -> Decimal:
    """Return the margin an account needs: the venue's word on positions or ours, whichever is more, and working orders.

    The venue's word may be some seconds old and lack the newest fills; what it counts of orders is counted twice.
    """
    return max(used, load.margin_held) + load.margin_working
