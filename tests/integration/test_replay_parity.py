"""Same strategy, same bars: the live platform and the replay place the same orders and make the same trades."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import numpy as np
import pytest

from apps.exchanges.models import Fill
from apps.strategies.backtest.costs import Costs
from apps.strategies.backtest.data import RecordedBars
from apps.strategies.backtest.replay import replay
from apps.strategies.backtest.replaying import ticker
from apps.strategies.backtest.results import DataSource
from apps.strategies.backtest.setting import Market, Setting
from apps.strategies.orchestrator.loader import load
from apps.strategies.registry import strategy_class
from moondev.domain.clock import from_milliseconds
from moondev.domain.market_data import BarSeries
from tests.integration.replay_live_world import KEY, LiveBars, placed_orders
from tests.integration.tick_world import own_redis

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True), pytest.mark.timeout(120)]
D = Decimal
CAPITAL = D(100_000)
START_MS = 1_751_371_200_000
FIRST = 40


def walk(seed: int, count: int) -> BarSeries:
    """Return minutes of a market at about 2,500, on a grid of a tenth."""
    rng = np.random.default_rng(seed)
    close = np.round(2_500 * np.exp(np.cumsum(rng.normal(0, 0.0007, count))), 1)
    opened = np.concatenate(([2_500.0], close[:-1]))
    high = np.round(np.maximum(opened, close) + np.abs(rng.normal(0, 0.8, count)), 1)
    low = np.round(np.minimum(opened, close) - np.abs(rng.normal(0, 0.8, count)), 1)
    stamps = START_MS + 60_000 * np.arange(count)
    return BarSeries(timedelta(minutes=1), stamps, opened, high, low, close, np.full(count, 100.0))


@pytest.mark.parametrize(
    ("kind", "preset", "changed"),
    [
        ("consolidation_pop", "fast", {"take_profit_percent": 0.15, "stop_percent": 0.12}),
        ("turtle_trend", "fast", {}),
    ],
)
def test_live_and_replay_place_the_same_orders_and_hold_the_same(kind, preset, changed, monkeypatch, transactional_db):
    parameters = strategy_class(kind).presets[preset].model_dump(mode="json") | changed
    bars = walk(11, 95)
    client = own_redis()
    live = LiveBars(client, kind, parameters, bars, CAPITAL)
    live.run(FIRST)
    client.close()

    asked = []
    whole = ticker.standing
    monkeypatch.setattr(ticker, "standing", lambda order, reason: asked.append(order) or whole(order, reason))
    # The house quotes a tick, 0.1, on either side; everything takes there, targets too.
    costs = Costs(maker_bps=4.5, taker_bps=4.5, spread_bps=0.8)
    market = Market(live.world.eth.to_domain(), RecordedBars(bars, DataSource("made", ""), "USDC"), costs)
    start = from_milliseconds(int(bars.opened_ms[FIRST]) + 60_000)
    result = replay(load(kind, parameters), Setting((market,), capital=CAPITAL, trades_from=start))

    rows = [order for order in placed_orders() if order.status != "refused"]
    assert len(rows) > 20
    assert [_words(o.side, o.order_type, o.purpose, o.signal_id) for o in rows] == [
        _words(o.side, o.order_type, o.purpose, o.signal_id) for o in asked
    ]
    for ours, theirs in zip(asked, rows, strict=True):
        assert float(ours.quantity.value) == pytest.approx(float(theirs.quantity), rel=2e-3)
        assert float(ours.price.value) == pytest.approx(float(theirs.price), abs=0.4)
        if ours.trigger_price is not None:
            assert float(ours.trigger_price.value) == pytest.approx(float(theirs.trigger_price), abs=0.3)
    assert market.key == KEY
    assert sum(fill.quantity for fill in Fill.objects.all()) > 0
    equity = float(live.engine.account_state(live.venue.address).account_value)
    assert equity == pytest.approx(result.final, abs=5)
    assert len(result.trades) > 5


def _words(side: object, kind: object, purpose: object, signal: str) -> str:
    return f"{side} {kind} {purpose} {signal}"
