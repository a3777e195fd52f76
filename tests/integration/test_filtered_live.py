"""A trained filter on the live platform: what it lets in, what it keeps out, and a position it may never hold back."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
import pytest

from apps.exchanges.models import Order, Position
from apps.strategies.library.learned import store
from apps.strategies.library.learned.features import features
from apps.strategies.ml.training import Recipe, train
from apps.strategies.models import Tick, Trigger
from apps.strategies.orchestrator.due import BAR
from apps.strategies.services import strategy_create, strategy_disable, strategy_enable
from moondev.domain.errors import InvalidValue
from tests.integration.replay_live_world import LiveBars
from tests.integration.tick_world import own_redis
from tests.support.filters import START_MS, STEP_MS, filtered_parameters, prepared, swinging_bars

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True), pytest.mark.timeout(120)]
# The first bar that has a hundred before it; enough after it for trades of both kinds.
FIRST, COUNT = 99, 150
THRESHOLD = 0.25
ANSWER = re.compile(r"hyperliquid:ETH: (z_score:\d+): (let through|refused), wins with ([\d.]+), 0.250 asked")


class Watched(LiveBars):
    """The live platform with one filtered strategy, whose ticks may fail."""

    def __init__(self, client, artefact) -> None:
        self.ticks: list[Tick] = []
        parameters = filtered_parameters(artefact=artefact, threshold=THRESHOLD)
        super().__init__(client, "filtered", parameters, swinging_bars(COUNT), Decimal(100_000))

    def tick(self, trigger, event) -> None:
        self.ticks.append(self.ticked(trigger, event))

    def on(self, row) -> Tick:
        """Go through one bar and tick at its close; return that tick."""
        self.walk(row)
        self.tick(BAR, f"bar {row}")
        return self.ticks[-1]

    @property
    def held(self) -> Decimal:
        return sum((row.quantity for row in Position.objects.all()), Decimal(0))


@pytest.fixture(scope="module")
def made():
    return train(prepared(), Recipe("logistic", 3), datetime(2026, 1, 1, tzinfo=UTC))


@pytest.fixture
def live(made, tmp_path, settings, transactional_db):
    settings.MOONDEV_MODELS_DIR = tmp_path
    store._trained.cache_clear()
    client = own_redis()
    yield Watched(client, store.save(*made, tmp_path))
    client.close()


def test_one_trade_is_let_in_and_another_is_kept_out_and_all_are_left(live, made):
    for row in range(FIRST):
        live.walk(row)
    for row in range(FIRST, COUNT):
        live.on(row)
    assert {tick.status for tick in live.ticks} == {"done"}
    told = "\n".join(note for tick in live.ticks for note in tick.report["notes"])
    answers = {signal: (words == "let through", float(odds)) for signal, words, odds in ANSWER.findall(told)}
    # Each signal is asked about once, however many ticks look at it.
    assert len(ANSWER.findall(told)) == len(answers)
    passed = {signal for signal, (let, _) in answers.items() if let}
    assert len(passed) >= 1
    assert passed < set(answers)

    rows = Order.objects.order_by("pk")
    opened = {order.signal_id for order in rows if order.purpose == "opening"}
    assert opened == passed
    assert {order.side for order in rows} == {"buy", "sell"}
    assert all(order.signal_id in passed for order in rows if order.status == "filled" and order.purpose == "opening")
    # What was let in was left, and what is left needs nobody's leave.
    assert [order for order in rows if order.purpose != "opening" and order.status == "filled"]
    for signal, (let, odds) in answers.items():
        assert odds == pytest.approx(expected(made, signal, told), abs=6e-4)
        assert let == (odds >= THRESHOLD)


def expected(made, signal, told):
    """Return what the model says of a signal, from the bars that had closed then."""
    bars = swinging_bars(COUNT)
    closed = (int(signal.partition(":")[2]) - START_MS) // STEP_MS + 1
    direction = 1 if f"{signal}: entering long" in told else -1
    row = features(bars.part(0, closed), direction)
    return float(store.model_of(made[0].model, made[1]).win_probability(np.array([row]))[0])


def test_a_filter_that_is_lost_holds_no_position_back_and_lets_none_in(live, tmp_path):
    row = 0
    while not live.held:
        live.walk(row)
        if row >= FIRST:
            live.tick(BAR, f"bar {row}")
        row += 1
    artefact = live.row.parameters["artefact"]
    path = tmp_path / f"{artefact}.model"
    kept = path.read_bytes()
    path.write_bytes(kept[:-1] + b"?")
    # A worker that had read it keeps what it has read; this is one that was started since.
    store._trained.cache_clear()
    opened = Order.objects.filter(purpose="opening").count()
    begun = len(live.ticks)
    while live.held:
        live.on(row)
        row += 1
    leaving = [tick for tick in live.ticks[begun:] if tick.status == "done"]
    assert leaving
    assert not ANSWER.search(str([tick.report["notes"] for tick in leaving]))

    # Nothing is held: from here on there is nothing it could do but open, and every tick says why it does not.
    for broken, words in ((lambda: None, "this one was changed"), (path.unlink, f"there is no {artefact}.model")):
        broken()
        tick = live.on(row)
        row += 1
        assert (tick.status, tick.placed) == ("failed", 0)
        assert tick.error.startswith("InvalidValue: artefact is ")
        assert words in tick.error
    assert Order.objects.filter(purpose="opening").count() == opened
    now = live.clock.now()
    strategy_disable(live.row.pk, actor="test", now=now)
    with pytest.raises(InvalidValue, match="there is no"):
        strategy_enable(live.row.pk, actor="test", now=now)
    with pytest.raises(InvalidValue, match="there is no"):
        strategy_create(
            slug="second", kind="filtered", parameters=live.row.parameters, account=live.world.account,
            instruments=[live.world.eth], actor="test", now=now, trigger=Trigger.INTERVAL, cadence_seconds=60,
        )  # fmt: skip

    # It lies there again: nothing has to be restarted.
    path.write_bytes(kept)
    strategy_enable(live.row.pk, actor="test", now=now)
    assert live.on(row).status == "done"
