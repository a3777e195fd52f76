"""Files: what is read from them, and what is refused before any number is computed."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from apps.strategies.backtest.quoting.levels import Ladder, Levels
from apps.strategies.backtest.quoting.recorded import tape_of_file
from apps.strategies.backtest.quoting.tape import NS_PER_MS, TRADE
from moondev.domain.errors import InvalidValue
from tests.unit.apps.strategies.backtest.quoting.tape_world import START_MS, instrument_of

COLUMNS = ("local_ts_ns", "exch_ts_ms", "type", "side", "price", "qty", "seq", "prev_seq")
CHANGE, TRADED, SNAPSHOT = 2, 3, 4


def event(ms, kind, side, price, qty, seq, previous=0, late_ms=2):
    return ((START_MS + ms + late_ms) * NS_PER_MS, START_MS + ms, kind, side, price, qty, seq, previous)


GOOD = [
    event(0, CHANGE, 1, 99.0, 9.0, 5, 4),  # in the snapshot already
    event(2, CHANGE, 1, 100.0, 0.5, 7, 5),  # after the snapshot, received before it
    event(1, SNAPSHOT, 1, 99.9, 1.0, 6, late_ms=4),
    event(1, SNAPSHOT, 1, 99.8, 2.0, 6, late_ms=4),
    event(1, SNAPSHOT, -1, 100.1, 3.0, 6, late_ms=4),
    event(5, TRADED, -1, 100.0, 0.25, 900),
    event(5, CHANGE, 1, 100.0, 0.25, 8, 7),
    event(9, CHANGE, -1, 100.1, 0.0, 9, 8),
    event(9, CHANGE, -1, 100.2, 1.5, 9, 8),
]


@pytest.fixture
def written(tmp_path):
    def write(rows, name="made_BTCUSDT_20240101.parquet", columns=COLUMNS):
        path = tmp_path / name
        table = {column: [row[COLUMNS.index(column)] for row in rows] for column in columns}
        pq.write_table(pa.table(table), path)
        return path

    return write


def test_a_tape_begins_with_the_snapshot_and_goes_on_with_what_came_after_it(written):
    tape = tape_of_file(written(GOOD), instrument_of())
    assert (tape.opening, len(tape)) == (3, 8)
    assert tape.lots.tolist() == [1000, 2000, 3000, 500, 250, 250, 0, 1500]
    assert tape.ticks.tolist() == [999, 998, 1001, 1000, 1000, 1000, 1001, 1002]
    assert (tape.kinds == TRADE).tolist() == [False] * 4 + [True] + [False] * 3
    # What was received before the snapshot is heard with it.
    assert (np.diff(tape.received_ns) >= 0).all()
    ladder = Ladder(Levels.of(tape, np.arange(len(tape)), tape.happened_ns))
    ladder.move(tape.ends_ns)
    assert list(ladder.bids()) == [(1000, 250), (999, 1000), (998, 2000)]
    assert list(ladder.asks()) == [(1002, 1500)]


def changed(row, **values):
    parts = dict(zip(COLUMNS, GOOD[row], strict=True)) | values
    return [*GOOD[:row], tuple(parts.values()), *GOOD[row + 1 :]]


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (changed(6, prev_seq=6), r"sequence.*1 breaks, the first in row 6: update 8 follows 6.*to follow 7"),
        (changed(8, price=99.9), r"book at .*bid 100.0 at or above ask 99.9"),
        ([row for row in GOOD if row[3] == 1], "a side is empty"),
        (changed(5, price=100.05), "price is .*100.05 in row 4"),
        (changed(5, qty=0.0005), "size is .*0.0005 in row 4"),
        (changed(5, side=0), "side.*0 in row 5"),
        ([row for row in GOOD if row[2] != SNAPSHOT], "no snapshot"),
    ],
)
def test_a_record_that_cannot_be_believed_is_refused_with_what_and_where(written, rows, told):
    with pytest.raises(InvalidValue, match=told):
        tape_of_file(written(rows), instrument_of())


def test_missing_columns_other_currencies_and_other_files_are_refused(written, tmp_path):
    with pytest.raises(InvalidValue, match="prev_seq missing"):
        tape_of_file(written(GOOD, columns=COLUMNS[:-1]), instrument_of())
    with pytest.raises(InvalidValue, match=r"quote currency.*BTCUSDC.*in USDC.*USDT"):
        tape_of_file(written(GOOD, name="made_BTCUSDC_20240101.parquet"), instrument_of())
    with pytest.raises(InvalidValue, match="file"):
        tape_of_file(tmp_path / "nothing.parquet", instrument_of())
    path = tmp_path / "made_BTCUSDT_1m.parquet"
    candles = {"ts": [60_000, 120_000]} | {name: [1.0, 1.0] for name in ("open", "high", "low", "close", "volume")}
    pq.write_table(pa.table(candles), path)
    with pytest.raises(InvalidValue, match="book events or book snapshots"):
        tape_of_file(path, instrument_of())


def test_a_clock_that_was_behind_is_a_warning_of_the_tape(written):
    early = [(row[0] - 1_268 * NS_PER_MS, *row[1:]) for row in GOOD]
    tape = tape_of_file(written(early), instrument_of())
    assert any("CLOCK_SKEW" in warning for warning in tape.source.warnings)


def books(*rows):
    names = ["ts", "b1", "b2", "bv1", "bv2", "a1", "a2", "av1", "av2"]
    return pa.table({name: [row[number] for row in rows] for number, name in enumerate(names)})


def test_snapshots_become_changes_from_one_to_the_next(tmp_path):
    path = tmp_path / "made_BTCUSDT_book2.parquet"
    first = (START_MS, 100.0, 99.9, 1.0, 2.0, 100.1, 100.2, 3.0, 4.0)
    second = (START_MS + 1000, 100.0, 99.8, 1.0, 5.0, 100.2, 100.3, 4.0, 6.0)
    third = (START_MS + 2000, 100.2, 100.0, 1.5, 1.0, 100.3, 100.4, 6.0, 7.0)
    pq.write_table(books(first, second, third), path)
    tape = tape_of_file(path, instrument_of())
    assert tape.opening == 4
    rows = list(zip(tape.happened_ns.tolist(), tape.ticks.tolist(), tape.lots.tolist(), strict=True))
    later = [(stamp // NS_PER_MS - START_MS, tick, lots) for stamp, tick, lots in rows[4:]]
    # What does not change is not told; what leaves goes before what comes.
    assert sorted(later[:4]) == [(1000, 998, 5000), (1000, 999, 0), (1000, 1001, 0), (1000, 1003, 6000)]
    ladder = Ladder(Levels.of(tape, np.arange(len(tape)), tape.happened_ns))
    ladder.move(tape.ends_ns)
    assert list(ladder.bids()) == [(1002, 1500), (1000, 1000)]
    assert list(ladder.asks()) == [(1003, 6000), (1004, 7000)]


def test_crossed_snapshots_are_refused(tmp_path):
    path = tmp_path / "made_BTCUSDT_book2.parquet"
    row = (START_MS, 100.0, 99.9, 1.0, 2.0, 100.0, 100.2, 3.0, 4.0)
    pq.write_table(books(row, (START_MS + 1000, *row[1:])), path)
    with pytest.raises(InvalidValue, match="CROSSED"):
        tape_of_file(path, instrument_of())
