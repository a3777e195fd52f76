"""The book at any row, however one gets there."""

import numpy as np

from apps.strategies.backtest.quoting.levels import Ladder, Levels
from tests.unit.apps.strategies.backtest.quoting.tape_world import BUY, LEVEL, SELL, ask, at, bid, sold, tape_of

ROWS = [bid(1, 1000, 4), ask(1, 1001, 0), sold(2, 1000, 1), bid(2, 1000, 3), bid(2, 1000, 2), ask(3, 1001, 7)]


def ladder_of(rows):
    tape = tape_of(rows)
    return Ladder(Levels.of(tape, np.arange(len(tape)), tape.happened_ns))


def test_a_book_is_what_its_rows_up_to_a_moment_say():
    ladder = ladder_of(ROWS)
    assert (ladder.best_bid(), ladder.best_ask()) == (None, None)
    ladder.move(at(0))
    assert list(ladder.bids()) == [(1000, 10), (999, 20), (998, 30)]
    assert list(ladder.asks()) == [(1001, 10), (1002, 20), (1003, 30)]
    ladder.move(at(1))
    assert (ladder.best_bid(), ladder.best_ask()) == (1000, 1002)
    ladder.move(at(2))
    assert ladder.standing(1000, is_buy=True) == 2
    assert ladder.standing(1000, is_buy=False) == ladder.standing(500, is_buy=True) == 0
    ladder.move(at(3))
    assert ladder.best_ask() == 1001


def test_a_book_does_not_run_backwards():
    ladder = ladder_of(ROWS)
    ladder.move(at(3))
    ladder.move(at(0))
    assert ladder.best_ask() == 1001


def test_one_leap_and_many_steps_lead_to_the_same_book():
    random = np.random.default_rng(5)
    rows = []
    for ms in range(1, 400):
        side = BUY if random.integers(0, 2) else SELL
        tick = 1000 - side * int(random.integers(0, 150))
        rows.append((ms // 3, LEVEL, side, tick, int(random.integers(0, 3))))
    leap, steps = ladder_of(rows), ladder_of(rows)
    book = {BUY: {}, SELL: {}}
    for _, _, side, tick, lots in [*tape_world_opening(), *rows]:
        book[side][tick] = lots
    leap.move(at(1_000))
    for ms in range(200):
        steps.move(at(ms))
        steps.best_bid(), steps.best_ask()  # what they remember must not go stale
    for ladder in (leap, steps):
        assert list(ladder.bids()) == sorted(((t, n) for t, n in book[BUY].items() if n), reverse=True)
        assert list(ladder.asks()) == sorted((t, n) for t, n in book[SELL].items() if n)


def tape_world_opening():
    from tests.unit.apps.strategies.backtest.quoting.tape_world import OPENING

    return OPENING


def test_what_stood_there_before_is_told_of_every_row():
    tape = tape_of(ROWS)
    levels = Levels.of(tape, np.arange(len(tape)), tape.happened_ns)
    told = list(zip(levels.rows.tolist(), levels.before.tolist(), strict=True))
    assert told[-5:] == [(6, 10), (7, 10), (9, 4), (10, 3), (11, 0)]
