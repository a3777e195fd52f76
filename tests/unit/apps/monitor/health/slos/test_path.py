from apps.monitor.health.slos.indicators.path import path_works
from apps.monitor.health.states import Component, Kind, State


def parts(**changed):
    names = ("database", "broker", "redis", "dispatcher", "ticks", "risk_guard", "orders-binance", "research",
             "venue.binance")  # fmt: skip
    states = dict.fromkeys(names, State.OK) | {name.replace("_of_", "-"): state for name, state in changed.items()}
    return [Component(name, Kind.PROCESS, state) for name, state in states.items()]


def test_the_path_is_up_while_nothing_on_it_is_down():
    assert path_works(parts()) is True
    assert path_works(parts(ticks=State.DEGRADED)) is True
    assert path_works(parts(orders_of_binance=State.DOWN)) is False
    # What computes backtests carries no order.
    assert path_works(parts(research=State.DOWN)) is True


def test_what_nobody_can_say_is_no_minute_at_all():
    assert path_works(parts(dispatcher=State.UNKNOWN)) is None
    assert path_works(parts(dispatcher=State.UNKNOWN, database=State.DOWN)) is False
    assert path_works([]) is None
