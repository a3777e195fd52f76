import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.strategies.library.turtle.breakout import VirtualRules, breakouts, virtual_trades
from apps.strategies.library.turtle.n import n_series
from tests.unit.apps.strategies.library.scenery import bars_of, cut, random_bars, scaled

RULES = VirtualRules(entry_bars=3, exit_bars=2, stop_n=2.0)
FLAT = [[100.0, 101.0, 99.0, 100.0]] * 6


def trades_of(rows: list[list[float]], rules: VirtualRules = RULES) -> list[tuple[int, int, float, bool | None]]:
    bars = bars_of(rows)
    found = virtual_trades(bars, n_series(bars, 3), rules)
    return [(trade.index, trade.direction, trade.entry, trade.won) for trade in found]


def test_touching_the_old_high_is_no_breakout_and_the_bar_is_not_part_of_its_channel() -> None:
    touched = breakouts(bars_of([*FLAT, [100, 101, 99, 101]]), 3)
    beyond = breakouts(bars_of([*FLAT, [100, 101.1, 99, 100]]), 3)
    assert touched[-1] == 0
    assert beyond[-1] == 1


def test_a_close_inside_the_channel_is_no_breakout_when_closes_count() -> None:
    bars = bars_of([*FLAT, [100, 103, 99, 100.5]])
    assert breakouts(bars, 3, "extreme")[-1] == 1
    assert breakouts(bars, 3, "close")[-1] == 0


@pytest.mark.parametrize(("close", "direction"), [(102.0, 1), (98.5, -1)])
def test_a_bar_beyond_both_sides_goes_where_it_closed(close: float, direction: int) -> None:
    bars = bars_of([*FLAT, [100, 103, 97, close]])
    assert breakouts(bars, 3)[-1] == direction


def test_a_breakout_that_leaves_its_exit_channel_at_a_profit_has_won() -> None:
    rows = [*FLAT, [100, 103, 100, 103], [103, 107, 103, 107], [107, 112, 107, 112], [112, 112, 105, 105]]
    rows.append([105, 106, 102.5, 103])
    assert trades_of(rows)[0] == (6, 1, 101.0, True)


def test_a_breakout_that_goes_two_n_against_has_lost() -> None:
    rows = [*FLAT, [100, 101.5, 100, 101.2], [101, 101, 96, 97]]
    assert trades_of(rows)[0] == (6, 1, 101.0, False)


def test_the_stop_comes_first_when_it_shares_the_bar_with_the_breakout() -> None:
    assert trades_of([*FLAT, [100, 102, 90, 101]])[0] == (6, 1, 101.0, False)


def test_the_stop_comes_first_when_it_shares_the_bar_with_a_profitable_exit() -> None:
    rows = [*FLAT, [100, 103, 100, 103], [103, 110, 103, 110], [110, 110, 90, 91]]
    assert trades_of(rows)[0][3] is False


def test_a_gap_is_entered_at_the_open() -> None:
    assert trades_of([*FLAT, [104, 105, 104, 105]])[0] == (6, 1, 104.0, None)


def test_an_open_trade_is_not_opened_again_by_new_highs() -> None:
    rows = [*FLAT, [100, 103, 100, 103], [103, 107, 103, 107], [107, 112, 107, 112]]
    assert trades_of(rows) == [(6, 1, 101.0, None)]


@given(seed=st.integers(0, 500), end=st.integers(30, 199))
def test_cutting_the_future_leaves_finished_trades_unchanged(seed: int, end: int) -> None:
    bars = random_bars(seed, 200)
    n, rules = n_series(bars), VirtualRules()
    whole = [trade for trade in virtual_trades(bars, n, rules) if trade.index < end]
    part = virtual_trades(cut(bars, end), n[:end], rules)
    assert [trade.index for trade in part] == [trade.index for trade in whole]
    for seen, later in zip(part, whole, strict=True):
        assert seen.won is None or seen == later


@given(seed=st.integers(0, 500))
def test_virtual_trades_do_not_depend_on_the_unit_of_price(seed: int) -> None:
    bars = random_bars(seed, 200)
    tenfold = scaled(bars, 16.0)
    ours = virtual_trades(bars, n_series(bars), VirtualRules())
    theirs = virtual_trades(tenfold, n_series(tenfold), VirtualRules())
    assert [(t.index, t.direction, t.won) for t in ours] == [(t.index, t.direction, t.won) for t in theirs]


def test_longs_of_the_flipped_series_are_the_shorts() -> None:
    bars = random_bars(7, 200, sigma=0.002)
    flipped = bars_of(np.column_stack((200 - bars.open, 200 - bars.low, 200 - bars.high, 200 - bars.close)).tolist())
    ours = virtual_trades(bars, n_series(bars), VirtualRules())
    theirs = virtual_trades(flipped, n_series(flipped), VirtualRules())
    assert [(t.index, t.direction, t.won) for t in ours] == [(t.index, -t.direction, t.won) for t in theirs]
