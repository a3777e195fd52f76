"""Two strategies in one message: what is wrong with the one must not touch the other."""

from __future__ import annotations

from dataclasses import dataclass

from django.test.utils import override_settings

from apps.strategies.models import StrategyEvent, StrategyRow, Tick
from apps.strategies.orchestrator.dispatch import dispatch
from apps.strategies.orchestrator.due import Due, Enabled
from apps.strategies.services import MANUAL
from moondev.domain.orders import OrderStatus
from tests.chaos.ticking import CADENCE_SECONDS, Ticking


@dataclass(frozen=True)
class Neighbours:
    """A strategy that is told to do something wrong, and one beside it that is fine."""

    bad: Ticking
    good: Ticking

    def tick(self, *, fresh_market: bool = True) -> Tick:
        """Tick both in one message; return how the bad one's tick ended."""
        for one in (self.bad, self.good):
            one.prepare(fresh_market=fresh_market or one is self.good)
        with override_settings(TICK_SHARDS=1):
            dispatch([_occasion(one) for one in (self.bad, self.good)], self.good.trader.clock)
        self.good.ended()
        return self.bad.ended()

    def assert_the_other_traded(self) -> None:
        """The good one's order was sent and filled, as if it were alone."""
        assert self.good.ticks().latest("pk").status == "done", self.good.ticks().latest("pk").error
        trader = self.good.trader
        trader.settle()
        assert [order.status for order in trader.orders()] == [OrderStatus.FILLED]
        trader.finish()

    def assert_nothing_was_sent(self) -> None:
        """The venue has heard nothing of the bad one."""
        trader = self.bad.trader
        assert trader.mock.received(trader.address, "order") == 0
        assert not trader.mock.orders(trader.address)
        trader.finish()

    def events(self) -> str:
        """Return everything that the record says of the bad one, beyond how it was made."""
        events = StrategyEvent.objects.filter(strategy=self.bad.trader.strategy)
        said = events.exclude(kind__in=["created", "enabled", "updated"])
        return " | ".join(said.order_by("pk").values_list("message", flat=True))


def _occasion(one: Ticking) -> Due:
    row, now = StrategyRow.objects.get(pk=one.pk), one.trader.clock.now()
    strategy = Enabled(row.pk, row.trigger, CADENCE_SECONDS, row.book_move_bps, row.priority, row.deadline_ms, 0)
    return Due(strategy, MANUAL, f"test at {now.isoformat()}", now)
