"""While orders are waited for at the end, somebody asks the venue what became of them: beat is stopped by then."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from apps.monitor.demo import wind_down


@pytest.fixture
def ending(monkeypatch):
    """Return a platform with two orders at two venues that end only when the venue is asked about them."""
    orders = {venue: SimpleNamespace(instrument=SimpleNamespace(venue_id=venue)) for venue in ("binance", "bybit")}
    world = SimpleNamespace(live=orders, asked=[], cancelled=0, deaf=0, now=0.0)

    def wake(task, *, venue):
        world.asked.append((task, venue))
        world.deaf -= 1
        if world.deaf < 0:
            world.live.pop(venue, None)

    def cancel(live, _clock):
        world.cancelled += len(live)

    def look():
        world.now += 1.0

    rows = SimpleNamespace(select_related=lambda _: list(world.live.values()))
    monkeypatch.setattr(wind_down, "Order", SimpleNamespace(objects=SimpleNamespace(filter=lambda **_: rows)))
    monkeypatch.setattr(wind_down, "wake", wake)
    monkeypatch.setattr(wind_down, "_cancel", cancel)
    monkeypatch.setattr(wind_down, "time", SimpleNamespace(monotonic=lambda: world.now, sleep=lambda _: None))
    world.look = look
    return world


def test_each_venue_is_asked_at_once_about_its_orders(ending):
    assert wind_down.cancel_and_wait(None, ending.look)
    assert ending.asked == [("exchanges.orders_reconcile", "binance"), ("exchanges.orders_reconcile", "bybit")]
    assert ending.cancelled == 2


def test_a_venue_that_cannot_be_asked_yet_is_asked_again_and_not_without_pause(ending):
    ending.deaf = 3
    assert wind_down.cancel_and_wait(None, ending.look)
    assert [venue for _, venue in ending.asked] == ["binance", "bybit", "binance", "bybit", "binance"]
    assert 2 * wind_down.RECONCILE_EVERY_S <= ending.now < 3 * wind_down.RECONCILE_EVERY_S
