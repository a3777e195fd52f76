"""A strategy is asked alone and on the clock, and believed only as far as it can be checked."""

import signal
import threading
import time
from decimal import Decimal
from types import SimpleNamespace

import numpy as np
import pytest

from apps.strategies.base import Decision
from apps.strategies.orchestrator import decide as module
from apps.strategies.orchestrator.answers import checked
from apps.strategies.orchestrator.decide import decide
from apps.strategies.orchestrator.watchdog import NeverReturned, within
from apps.strategies.orchestrator.work import Decided, Failed
from moondev.domain.desired import Quote, Quotes, Target
from moondev.domain.errors import InvalidValue
from moondev.domain.values import Price, Quantity

BTC = "hyperliquid:BTC"


def work(idea):
    loaded = SimpleNamespace(strategy=SimpleNamespace(decide=idea), parameters=None, code_hash="c0de")
    tick = SimpleNamespace(pk=1, strategy=SimpleNamespace(state={}))
    return SimpleNamespace(
        tick=tick, loaded=loaded, view=None, own=None, instruments={BTC: None}, scope=SimpleNamespace(strategy="s")
    )


def test_returns_what_the_strategy_wants_and_how_long_it_took():
    answer = decide(work(lambda *_: Decision((Target(BTC, 0.5, "s", "r"),))))
    assert isinstance(answer, Decided)
    assert answer.decision.desired[0].weight == 0.5
    assert not answer.overrun
    assert answer.decide_ms >= 0


def test_takes_the_processor_back_from_a_strategy_that_never_returns(monkeypatch):
    monkeypatch.setattr(module, "HARD_LIMIT_SECONDS", 0.05)

    def hang(*_):
        while True:
            try:  # noqa: SIM105  exactly what such a strategy writes
                sum(range(1000))
            except Exception:  # noqa: BLE001
                pass

    answer = decide(work(hang))
    assert isinstance(answer, Failed)
    assert "did not return within 0.05 s" in answer.message


def test_a_strategy_that_swallows_the_alarm_is_rung_again(monkeypatch):
    monkeypatch.setattr(module, "HARD_LIMIT_SECONDS", 0.05)
    swallowed = []

    def stubborn(*_):
        try:
            while True:
                time.sleep(0.001)
        except BaseException:  # noqa: BLE001
            swallowed.append(1)
        while True:
            time.sleep(0.001)

    assert isinstance(decide(work(stubborn)), Failed)
    assert swallowed == [1]


def test_measures_processor_time_not_waiting(monkeypatch):
    monkeypatch.setattr(module, "SOFT_LIMIT_MS", 20.0)
    assert not decide(work(lambda *_: time.sleep(0.03) or Decision(()))).overrun

    def busy(*_):
        until = time.thread_time() + 0.03
        while time.thread_time() < until:
            pass
        return Decision(())

    assert decide(work(busy)).overrun


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (None, "decision is 'NoneType'; allowed: a Decision"),
        (Decision((1,)), "desired is 'int'; allowed: Target, Quotes or Legs"),
        (Decision((Target("x:Y", 0.1, "s", "r"),)), "instrument is 'x:Y'; allowed: one of hyperliquid:BTC"),
        (Decision((Target(BTC, 0.1, "s", "r"), Target(BTC, 0.1, "t", "r"))), "one wish per instrument"),
        (Decision((Target(BTC, 0.1, "s" * 101, "r"),)), "at most 100 characters"),
        (Decision((), {"n": float("nan")}), "values that JSON can hold"),
        (Decision((), {"n": np.int64(3)}), "values that JSON can hold"),
        (Decision((), {"n": "x" * 100_001}), "at most 100000"),
    ],
)
def test_refuses_nonsense_by_name(answer, message):
    with pytest.raises(InvalidValue, match=message):
        checked(answer, {BTC})


def test_refuses_a_ladder_without_end():
    bids = tuple(Quote(Price(Decimal(1000 - n)), Quantity(Decimal(1))) for n in range(51))
    with pytest.raises(InvalidValue, match="at most 50 a side"):
        checked(Decision((Quotes(BTC, bids, ()),)), {BTC})


def test_the_time_limit_leaves_an_alarm_that_was_set_before():
    rang = []
    before = signal.signal(signal.SIGALRM, lambda *_: rang.append(1))
    outer = signal.setitimer(signal.ITIMER_REAL, 0.2)
    try:
        with pytest.raises(NeverReturned):
            within(0.05, lambda: time.sleep(1))
        time.sleep(0.3)
        assert rang == [1]
    finally:
        signal.setitimer(signal.ITIMER_REAL, *outer)
        signal.signal(signal.SIGALRM, before)


def test_outside_the_main_thread_there_is_no_alarm_and_no_harm():
    results = []
    thread = threading.Thread(target=lambda: results.append(decide(work(lambda *_: Decision(())))))
    thread.start()
    thread.join(5)
    assert isinstance(results[0], Decided)


def test_a_state_changed_in_place_does_not_pass_for_the_stored_one():
    asked = work(lambda view, own, params, state, instruments: state.update(n=1) or Decision((), state))
    answer = decide(asked)
    assert answer.decision.state == {"n": 1}
    assert asked.tick.strategy.state == {}
