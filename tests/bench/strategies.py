"""Fifty market makers, one per coin, whose quotes follow every move of the market."""

from __future__ import annotations

from decimal import Decimal

from apps.exchanges.models import Order
from apps.strategies.models import StrategyRow, Trigger
from apps.strategies.registry import preset
from apps.strategies.services import strategy_create, strategy_enable
from moondev.domain.clock import process_clock
from tests.bench.world import World

_ACTOR = "bench"
# One quote on each side, moved whenever the price on the grid is another: nearly every tick has something to send.
_EAGER = {
    "level_split_percent": "100",
    "reprice_bps": 0.0,
    # About twenty basis points away: moved often, filled seldom.
    "fill_decay_per_bp": 0.05,
    "spike_multiple": 100.0,
    "spike_pause_seconds": 0.0,
    "min_volatility_bars": 10,
    "volatility_bars": 30,
}


def make_makers(world: World) -> list[StrategyRow]:
    """Create and enable one market maker per coin, spread over the accounts.

    They are due by book events. None asks to be told of moves, so the only events are those of the benchmark.
    """
    rows = []
    for number, (symbol, instrument) in enumerate(sorted(world.instruments.items())):
        row = strategy_create(
            slug=f"maker-{symbol.lower()}",
            kind="market_maker",
            parameters={**preset("market_maker", "canonical").model_dump(mode="json"), **_EAGER},
            account=world.accounts[number % len(world.accounts)],
            instruments=[instrument],
            actor=_ACTOR,
            now=process_clock().now(),
            trigger=Trigger.BOOK,
            book_move_bps=Decimal(0),
            capital=Decimal(20_000),
            reprice_bps=Decimal(0),
        )
        rows.append(strategy_enable(row.pk, actor=_ACTOR, now=process_clock().now()))
    return rows


def resting(rows: list[StrategyRow]) -> int:
    """Return how many of the strategies have both quotes in the market."""
    open_orders = Order.objects.filter(status="open", strategy__in=[row.slug for row in rows])
    counts: dict[str, int] = {}
    for slug in open_orders.values_list("strategy", flat=True):
        counts[slug] = counts.get(slug, 0) + 1
    return sum(1 for count in counts.values() if count >= 2)
