"""A strategy that does as it is told, ticked by the platform's own tick workers."""

from __future__ import annotations

from decimal import Decimal

from django.utils.functional import cached_property

from apps.exchanges.market_data.cache import MarketWriter, redis_client
from apps.exchanges.models import EquityMark, InstrumentRow
from apps.exchanges.ports import BookUpdate
from apps.strategies import registry
from apps.strategies.models import StrategyRow, Tick, Trigger
from apps.strategies.services import strategy_create, strategy_enable, tick_now
from moondev.domain.market_data import Book, BookLevel
from tests.chaos.trader import Trader
from tests.chaos.venue import ASK, BID
from tests.integration.tick_world import Scripted

# Its tests make it due by hand: never within one of them would beat.
CADENCE_SECONDS = 3_600
OUTSTANDING = ("due", "running")


class Ticking:
    """One scripted strategy of a trader's account."""

    def __init__(
        self,
        trader: Trader,
        behaviour: str = "target",
        *,
        kind: type[Scripted] = Scripted,
        symbol: str = "BTC",
        **settings: object,
    ) -> None:
        self.trader = trader
        self.instrument = InstrumentRow.objects.get(venue=trader.account.venue_id, symbol=symbol)
        registry._BY_NAME = {**registry._BY_NAME, kind.name: kind}
        now = trader.clock.now()
        row = strategy_create(
            slug=trader.strategy,
            kind=kind.name,
            parameters={"weight": 0.0},
            account=trader.account,
            instruments=[self.instrument],
            actor="test",
            now=now,
            **{
                "trigger": Trigger.INTERVAL,
                "cadence_seconds": CADENCE_SECONDS,
                "capital": Decimal(100_000),
                **settings,
            },
        )
        self.pk = strategy_enable(row.pk, actor="test", now=now).pk
        # Enabling looks at what a strategy needs; what it does wrong comes with a later edit.
        self._parameters = {"behaviour": behaviour}
        StrategyRow.objects.filter(pk=self.pk).update(parameters=self._parameters)

    def wants(self, weight: float, signal: str | None = None) -> None:
        """Make the strategy want a weight from its next tick on."""
        self._parameters |= {"weight": weight, "signal_id": signal or f"weight {weight}"}
        StrategyRow.objects.filter(pk=self.pk).update(parameters=self._parameters)

    def tick(self, *, fresh_market: bool = True) -> Tick:
        """Make the strategy due now, with the market and the equity fresh; return its tick."""
        self.prepare(fresh_market=fresh_market)
        return tick_now(self.pk, actor="test")

    def prepare(self, *, fresh_market: bool = True) -> None:
        """Make the market and the equity fresh."""
        if fresh_market:
            self.market()
        EquityMark.objects.create(
            account=self.trader.account,
            taken_at=self.trader.clock.now(),
            venue_equity=100_000,
            unrealised=0,
            margin_used=0,
        )

    def market(self) -> None:
        """Write the market as the stream process would."""
        now = self.trader.clock.now()
        book = Book((BookLevel(float(BID), 5.0),), (BookLevel(float(ASK), 5.0),), now, now)
        self._writer.state(self.instrument.key).take_book(BookUpdate(self.instrument.symbol, book))
        self._writer.flush()

    @cached_property
    def _writer(self) -> MarketWriter:
        return MarketWriter(redis_client())

    def ticks(self):
        """Return the strategy's ticks."""
        return Tick.objects.filter(strategy_id=self.pk)

    def ended(self, seconds: float = 30) -> Tick:
        """Wait until no tick is outstanding; return the latest."""
        self.trader.platform.wait(
            "the tick to end", lambda: not self.ticks().filter(status__in=OUTSTANDING).exists(), seconds
        )
        return self.ticks().latest("pk")
