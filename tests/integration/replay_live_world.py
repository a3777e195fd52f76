"""The live platform on recorded bars: rows, cache, sender and the mock exchange's engine, walked along each bar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from uuid import UUID

import redis

from apps.exchanges.market_data.cache import MarketCache, MarketWriter
from apps.exchanges.mock.engine.api import Filled, InstrumentSpec, NewOrder, Rejected, Tif, TpSl, Trigger
from apps.exchanges.mock.engine.api import OrderStatus as EngineStatus
from apps.exchanges.mock.engine.exchange import Exchange
from apps.exchanges.mock.engine.orders import Order as HouseOrder
from apps.exchanges.mock.engine.reports import Fill
from apps.exchanges.models import EquityMark, Order
from apps.exchanges.orders.apply import reports_apply
from apps.exchanges.ports import AccountSnapshot, BookUpdate, PositionSnapshot, ReportSource
from apps.risk.guard import marks_of
from apps.risk.services import seed_limits
from apps.strategies.backtest.replaying.matching import Path
from apps.strategies.models import StrategyRow, Tick
from apps.strategies.models import Trigger as TickTrigger
from apps.strategies.orchestrator.dispatch import dispatch
from apps.strategies.orchestrator.due import BAR, FILL, Due, Enabled
from apps.strategies.orchestrator.tick import run_ticks
from apps.strategies.services import strategy_create, strategy_enable
from moondev.domain.clock import FixedClock, from_milliseconds
from moondev.domain.fills import FillReport, Liquidity
from moondev.domain.market_data import BarSeries, Book, BookLevel
from moondev.domain.orders import OrderReport, OrderStatus, OrderType, PlaceOrder
from moondev.domain.values import Money, Price, Quantity, Side, SignedQuantity
from tests.support.order_world import make_world
from tests.support.venue_stub import StubVenue, VenueOrder

D = Decimal
COIN, KEY, TICK = "ETH", "hyperliquid:ETH", D("0.1")
DEEP = D(10_000)
FINAL = {EngineStatus.CANCELED: OrderStatus.CANCELLED, EngineStatus.REJECTED: OrderStatus.REJECTED}


@dataclass(repr=False)
class EngineVenue(StubVenue):
    """A venue whose orders rest and trade in the mock exchange's engine."""

    engine: Exchange = field(kw_only=True)
    address: str = field(kw_only=True)
    ids: dict[str, UUID] = field(default_factory=dict)

    def _place(self, request: PlaceOrder) -> OrderReport:
        cloid = f"0x{request.client_order_id.hex}"
        self.ids[cloid] = request.client_order_id
        (ack,) = self.engine.place(self.address, [_engine_order(request, cloid)])
        if isinstance(ack, Rejected):
            return self._report(request.client_order_id, None, OrderStatus.REJECTED, reason=str(ack.code))
        status, filled = OrderStatus.OPEN, None
        if isinstance(ack, Filled):
            status, filled = OrderStatus.FILLED, ack.total_sz
        return self._report(request.client_order_id, str(ack.oid), status, filled=filled)

    def _find(self, client_id: UUID) -> VenueOrder | None:
        """Return a row of ours with the engine's id; the engine knows the rest."""
        order = self.engine.order_by_cloid(self.address, f"0x{client_id.hex}")
        if order is None:
            return None
        side = Side.BUY if order.is_buy else Side.SELL
        status = OrderStatus.OPEN if order.status is EngineStatus.OPEN else OrderStatus.CANCELLED
        return VenueOrder(client_id, str(order.oid), COIN, side, order.price, order.size, status=status)

    def _cancel(self, order: VenueOrder | None, client_id: UUID | None, venue_id: str | None = None) -> OrderReport:
        if order is not None:
            self.engine.cancel(self.address, COIN, int(order.venue_order_id))
        return super()._cancel(order, client_id, venue_id)

    def account_snapshot(self) -> AccountSnapshot:
        state = self.engine.account_state(self.address)
        positions = tuple(
            PositionSnapshot(
                one.coin, SignedQuantity(one.size), None, Price(one.mark_px), Money(one.position_value, "USDC"),
                Money(one.unrealised_pnl, "USDC"), 1,
            )
            for one in state.positions
        )  # fmt: skip
        worth = Money(state.account_value, "USDC")
        return AccountSnapshot(worth, worth, Money(D(0), "USDC"), positions, None, self.clock.now())


class LiveBars:
    """One strategy on the live platform, its market moved along bars."""

    def __init__(self, client: redis.Redis, kind: str, parameters: dict, bars: BarSeries, capital: Decimal) -> None:
        self.clock = FixedClock(from_milliseconds(int(bars.opened_ms[0])))
        self.bars, self.cache, self.writer = bars, MarketCache(client), MarketWriter(client)
        self.world = make_world(self.clock)
        self.engine = Exchange((InstrumentSpec(COIN, 1, 3, 25),), self.clock, {COIN: _price(bars.open[0])})
        address = self.world.account.address
        self.engine.open_account(address, capital)
        self.world.venue = self.venue = EngineVenue(self.clock, engine=self.engine, address=address)
        self.quotes: list[HouseOrder] = []
        self.told = 0
        seed_limits("paper", actor="test", now=self.clock.now())
        row = strategy_create(
            slug=kind, kind=kind, parameters=parameters, account=self.world.account, instruments=[self.world.eth],
            actor="test", now=self.clock.now(), capital=capital, trigger=TickTrigger.BAR, cadence_seconds=60,
        )  # fmt: skip
        self.row = strategy_enable(row.pk, actor="test", now=self.clock.now())

    def run(self, first: int) -> None:
        """Go through all bars; the strategy is asked from the close of bar `first` on."""
        for row in range(len(self.bars)):
            self.walk(row)
            if row >= first:
                self.tick(BAR, f"bar {row}")

    def walk(self, row: int) -> None:
        """Go through one bar up to its close, orders trading on the way."""
        self.clock.advance(from_milliseconds(int(self.bars.opened_ms[row])) - self.clock.now())
        columns = (self.bars.open, self.bars.high, self.bars.low, self.bars.close)
        path = Path(*(float(column[row]) for column in columns))
        self.move(path.price)
        self.deliver()
        while (level := self._next_level(path)) is not None:
            path = path.after(level[0], fell=level[1])
            self.move(path.price)
            self.deliver()
        self.clock.advance(self.bars.interval)
        self.move(path.close)
        self.writer.bars(KEY, self.bars.part(max(0, row - 400), row + 1))
        self.writer.flush()

    def move(self, price: float) -> None:
        """Put the market to `price`: the house quotes a tick on either side of it, and the mark follows."""
        house, market = self.engine.house(), self.engine.house().market(COIN)
        for order in self.quotes:
            house.withdraw(order)
        bid, ask = _price(price) - TICK, _price(price) + TICK
        units = [market.grid.price_units(one) for one in (bid, ask)]
        size = market.grid.size_units(DEEP)
        made = [house.quote(market, px, size, is_buy=is_buy) for px, is_buy in zip(units, (True, False), strict=True)]
        self.quotes = [order for order in made if order is not None]
        self.engine.set_mark(COIN, _price(price))
        now = self.clock.now()
        book = Book((BookLevel(float(bid), 1e4),), (BookLevel(float(ask), 1e4),), now, now)
        self.writer.state(KEY).take_book(BookUpdate(COIN, book))
        self.writer.flush()

    def deliver(self) -> None:
        """Send what waits and tell what came of it; each fill makes a tick, as the dispatcher would."""
        for _ in range(20):
            self.world.send()
            if not self._hear():
                return
            self.tick(FILL, f"fill {self.told}")
        raise AssertionError("orders answer fills without end")

    def tick(self, trigger: str, event: str) -> None:
        """Make the strategy due and run its tick, which must come off."""
        tick = self.ticked(trigger, event)
        assert tick.status == "done", tick.error

    def ticked(self, trigger: str, event: str) -> Tick:
        """Make the strategy due, run its tick and return what became of it."""
        self._mark()
        row = StrategyRow.objects.get(pk=self.row.pk)
        names = ("trigger", "cadence_seconds", "book_move_bps", "priority", "deadline_ms", "overruns")
        enabled = Enabled(row.pk, *(getattr(row, name) for name in names))
        dispatch([Due(enabled, trigger, event, self.clock.now())], self.clock)
        ids = list(Tick.objects.filter(status="due").values_list("pk", flat=True))
        run_ticks(ids, "w1", clock=self.clock, cache=self.cache)
        (tick,) = Tick.objects.filter(pk__in=ids)
        return tick

    def _mark(self) -> None:
        """Mark equity as the guard does every second."""
        account, snapshot = self.world.account, self.venue.account_snapshot()
        EquityMark.objects.create(
            account=account, taken_at=self.clock.now(), venue_equity=snapshot.equity.value,
            ledger_equity=snapshot.equity.value, unrealised=0, margin_used=0,
        )  # fmt: skip
        marks_of([account], {account.pk: snapshot}, self.clock.now())

    def _hear(self) -> bool:
        """Apply the engine's fills and endings; return whether there were fills."""
        fills = sorted(self.engine.fills(self.venue.address), key=lambda fill: fill.tid)
        new, self.told = fills[self.told :], len(fills)
        reports = [self._fill(fill) for fill in new]
        resting = Order.objects.filter(status__in=("open", "partially_filled", "amending", "cancelling"))
        for row in resting:
            order = self.engine.order_by_cloid(self.venue.address, f"0x{row.client_order_id.hex}")
            if order is not None and order.status in FINAL:
                reports.append(
                    OrderReport(
                        ReportSource.STREAM,
                        row.client_order_id,
                        str(order.oid),
                        FINAL[order.status],
                        None,
                        self.clock.now(),
                        reason=str(order.reason),
                    )
                )
        reports_apply(account_id=self.world.account.pk, reports=reports, now=self.clock.now())
        return bool(new)

    def _fill(self, fill: Fill) -> OrderReport:
        client_id = self.venue.ids[fill.cloid or ""]
        report = FillReport(
            str(fill.tid), str(fill.oid), client_id, COIN, Side.BUY if fill.is_buy else Side.SELL, Price(fill.price),
            Quantity(fill.size), Money(fill.fee, "USDC"), Liquidity.TAKER if fill.crossed else Liquidity.MAKER,
            self.clock.now(), self.clock.now(),
        )  # fmt: skip
        done = self.engine.order_by_oid(self.venue.address, fill.oid)
        status = OrderStatus.FILLED if done is not None and done.status is EngineStatus.FILLED else None
        return OrderReport(
            ReportSource.STREAM, client_id, str(fill.oid), status, None, self.clock.now(), (report,),
        )  # fmt: skip

    def _next_level(self, path: Path) -> tuple[float, bool] | None:
        """Return the price of the order that the rest of the bar reaches first, and whether the market falls to it.

        A stop goes before others, then the nearest; None when no order is reached.
        """
        reached = []
        for order in self.engine.open_orders(self.venue.address):
            stop = order.trigger is not None and order.trigger.tpsl is TpSl.SL
            level = float(order.price if order.trigger is None else order.trigger.trigger_px)
            falls = order.is_buy != stop
            if (path.low <= level) if falls else (path.high >= level):
                reached.append((not stop, abs(level - path.price), level, falls))
        return min(reached)[2:] if reached else None


def placed_orders() -> Sequence[Order]:
    """Return every order in the order in which they were decided on."""
    return list(Order.objects.order_by("pk"))


def _engine_order(request: PlaceOrder, cloid: str) -> NewOrder:
    trigger = None
    if request.trigger_price is not None:
        kind = TpSl.TP if request.order_type is OrderType.TAKE_PROFIT else TpSl.SL
        trigger = Trigger(is_market=True, trigger_px=request.trigger_price.value, tpsl=kind)
    tif = Tif.IOC if request.time_in_force.immediate else Tif.GTC
    return NewOrder(
        COIN, request.side is Side.BUY, request.quantity.value, request.price.value, tif, request.reduce_only, trigger,
        cloid,
    )  # fmt: skip


def _price(number: float) -> Decimal:
    return D(repr(round(float(number), 1)))
