"""The one question that every fault during a halt ends with: did anything grow, and is what is left told?"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from apps.exchanges.models import Order, Veto
from moondev.domain.orders import OrderStatus, Purpose
from moondev.domain.values import ZERO, Side
from tests.support.order_world import World, assert_books
from tests.support.venue_stub import StubVenue


@dataclass
class HaltWatch:
    """Looks at the venue at every request from the moment of the veto on.

    Exposure is the worst that can come of what is there: the position, and what would be held if every order that may
    open were filled on one side. What was on its way when the veto was committed counts as there.
    """

    world: World
    veto: Veto
    ceilings: dict[str, Decimal] = field(default_factory=dict)
    looks: int = 0

    def __post_init__(self) -> None:
        """Measure what there is at the veto, and watch every request from here on."""
        flying = Order.objects.filter(status__in=[OrderStatus.SENDING, OrderStatus.UNKNOWN], purpose=Purpose.OPENING)
        for symbol in ("BTC", "ETH"):
            under_way = sum(flying.filter(instrument__symbol=symbol).values_list("quantity", flat=True), start=ZERO)
            self.ceilings[symbol] = worst(self.world.venue, symbol) + under_way
        before = self.world.venue.watch

        def look(call: str) -> None:
            self.look()
            if before is not None:
                before(call)

        self.world.venue.watch = look

    def look(self) -> None:
        """Nothing that can be held may be more than at the last look."""
        self.looks += 1
        for symbol, ceiling in self.ceilings.items():
            now = worst(self.world.venue, symbol)
            assert now <= ceiling, f"{symbol}: exposure grew from {ceiling} to {now} after the veto"
            if not self._in_flight(symbol):
                self.ceilings[symbol] = now

    def _in_flight(self, symbol: str) -> bool:
        """Return whether an order of before the veto may still arrive, so that less is no promise yet."""
        return Order.objects.filter(
            status__in=[OrderStatus.SENDING, OrderStatus.UNKNOWN], purpose=Purpose.OPENING, instrument__symbol=symbol
        ).exists()

    def assert_flat(self) -> None:
        """The halt is done, nothing that opens lives, nothing is held, and the books say the same."""
        self.look()
        self.veto.refresh_from_db()
        assert self.veto.stage == Veto.Stage.DONE, f"not done: {self.veto.detail or 'and no word why'}"
        assert not self.world.venue.live()
        assert {s: self.world.venue.position(s) for s in self.ceilings} == dict.fromkeys(self.ceilings, ZERO)
        assert_books()

    def assert_told(self, *words: str) -> None:
        """The halt is not done, and its row says what is left and why."""
        self.look()
        self.veto.refresh_from_db()
        assert self.veto.stage != Veto.Stage.DONE, "it says done"
        missing = [word for word in words if word not in self.veto.detail]
        assert not missing, f"{missing} not in {self.veto.detail!r}"


def worst(venue: StubVenue, symbol: str) -> Decimal:
    """Return the most that can be held of a symbol without another order."""
    held = venue.position(symbol)
    opening = [order for order in venue.live() if order.symbol == symbol and not order.reduce_only]
    buys, sells = (sum((o.remaining for o in opening if o.side is side), start=ZERO) for side in Side)
    return max(held + buys, sells - held)
