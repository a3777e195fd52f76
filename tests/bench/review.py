"""What the review costs: batches of fifty orders through every check, with rules of one's own, among copies."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

from apps.exchanges.models import TradingMode
from apps.risk.correlation.book import Shared
from apps.risk.day_loss import DayLoss
from apps.risk.facts import RiskFacts
from apps.risk.limits import LimitBook
from apps.risk.review import ReviewMarket, review
from apps.risk.rules.book import Rule
from apps.risk.scope import StrategyScope
from apps.risk.services import SEED_LIMITS
from moondev.domain.instruments import Instrument, PriceGrid
from moondev.domain.orders import OrderType, PlaceOrder, Purpose, TimeInForce
from moondev.domain.values import Money, Price, Quantity, Side
from tests.bench.figures import Spread
from tests.bench.results import Row, Section
from tests.bench.servers import BenchError

BATCH = 50
BATCHES = 200
NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
D = Decimal
RULES = (
    Rule("hours", ("everything", "*"), "weekday <= 5 && hour >= 8"),
    Rule("small", ("strategy", "bench"), "notional < 20000.0 && gross < strategy_equity * 3.0"),
    Rule("calm", ("portfolio", "bench"), "side == 'buy' || portfolio_drawdown < 0.1"),
)

# A strategy with a copy, and assets that move as one: enough is left of both limits for every batch.
COPIES = Shared(("bench", "copy"), "copy", 0.9, D(5_000_000), D(1_000_000))
ALIKE = Shared(("COIN0", "OTHER"), "OTHER", 0.9, D(1_000_000), D(100_000))


def run() -> list[Section]:
    """Review batches in turn: plain, with three rules, and by a strategy and in assets that share limits."""
    instruments = [_instrument(number) for number in range(BATCH)]
    orders = [_order(instrument) for instrument in instruments]
    market, facts = _market(instruments), _facts()
    plain: list[float] = []
    ruled: list[float] = []
    sharing: list[float] = []
    shared = replace(facts, copies=COPIES, alike=dict.fromkeys((one.asset for one in instruments), ALIKE))
    for _ in range(BATCHES):
        plain.append(_one(orders, market, facts))
        ruled.append(_one(orders, market, replace(facts, rules=RULES, read_at=NOW)))
        sharing.append(_one(orders, market, shared))
    setting = f"{BATCHES} batches of {BATCH} opening orders in as many instruments, each through every check, in turn"
    rows = [
        Row("review of one order", Spread.of(plain), note=f"a batch takes {BATCH} times as long"),
        Row("the same with three rules of one's own", Spread.of(ruled)),
        Row("the same while strategy and assets share limits with others", Spread.of(sharing)),
    ]
    return [Section("review", setting, rows)]


def _one(orders: Sequence[PlaceOrder], market: ReviewMarket, facts: RiskFacts) -> float:
    """Return the milliseconds an order took in one batch. Raises BenchError when one was not approved."""
    started = time.perf_counter()
    reviewed = review(orders, market, facts)
    took = (time.perf_counter() - started) * 1000 / len(orders)
    if reviewed.refused:
        raise BenchError(f"an order that should pass was refused: {reviewed.refused[0]}")
    return took


def _facts() -> RiskFacts:
    limits = {(kind.value, "portfolio", "bench"): value for kind, value in SEED_LIMITS.items()}
    return RiskFacts(
        scope=StrategyScope("bench", 1, "bench-1", "bench", "hyperliquid", "USDC", D(1_000_000), D(5)),
        limits=LimitBook(limits),
        modes={("portfolio", "bench"): TradingMode.ACTIVE, ("account", "bench-1"): TradingMode.ACTIVE},
        portfolio_equity=D(1_000_000),
        account_equity=D(1_000_000),
        strategy_equity=D(1_000_000),
        portfolio_drawdown=D("0.01"),
        strategy_drawdown=D("0.01"),
        read_at=NOW,
        margin_used=D(0),
        loads={},
        day_loss=DayLoss(D("0.01")),
    )


def _market(instruments: Sequence[Instrument]) -> ReviewMarket:
    return ReviewMarket(
        now=NOW,
        instruments={instrument.key: instrument for instrument in instruments},
        mids={instrument.key: 100.0 for instrument in instruments},
        ages={instrument.key: timedelta(milliseconds=20) for instrument in instruments},
        holdings={},
        account_net={},
        working=(),
    )


def _instrument(number: int) -> Instrument:
    return Instrument(
        venue="hyperliquid",
        symbol=f"COIN{number}",
        asset=f"COIN{number}",
        quote="USDC",
        price_grid=PriceGrid(D("0.01")),
        lot=Quantity(D("0.1")),
        min_notional=Money(D(10), "USDC"),
        max_leverage=10,
    )


def _order(instrument: Instrument) -> PlaceOrder:
    return PlaceOrder(
        client_order_id=uuid4(),
        instrument=instrument.key,
        side=Side.BUY,
        order_type=OrderType.LIMIT,
        time_in_force=TimeInForce.GTC,
        quantity=Quantity(D(100)),
        price=Price(D("99.9")),
        purpose=Purpose.OPENING,
        signal_id="s",
        leg="entry",
    )
