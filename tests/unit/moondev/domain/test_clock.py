import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moondev.domain.clock import (
    FixedClock,
    LiveClock,
    ReplayClock,
    clock_from_json,
    from_milliseconds,
    milliseconds,
    require_aware,
)
from moondev.domain.errors import InvalidValue

START = datetime(2025, 7, 1, tzinfo=UTC)
ROOT = Path(__file__).parents[4]


def test_naive_times_are_refused() -> None:
    with pytest.raises(InvalidValue, match="due_at"):
        require_aware("due_at", datetime(2025, 1, 1))  # noqa: DTZ001


def test_a_replay_passes_at_its_speed() -> None:
    clock = ReplayClock(START, LiveClock().now() - timedelta(seconds=10), 60)
    assert timedelta(minutes=10) <= clock.now() - START < timedelta(minutes=11)
    assert clock.wall_seconds(120) == 2


def test_a_replay_clock_survives_the_environment() -> None:
    clock = ReplayClock(START, START + timedelta(days=1), 120.0)
    assert clock_from_json(clock.to_json()) == clock


def test_no_text_is_the_live_clock() -> None:
    assert isinstance(clock_from_json(""), LiveClock)


@pytest.mark.parametrize("text", ["{}", "nonsense", '{"t0": 1, "wall0": 2, "speed": 3}'])
def test_a_broken_clock_is_refused_by_name(text: str) -> None:
    with pytest.raises(InvalidValue, match="MOONDEV_CLOCK"):
        clock_from_json(text)


@pytest.mark.parametrize("speed", [0.0, -1.0, float("inf"), float("nan")])
def test_a_clock_that_does_not_run_is_refused(speed: float) -> None:
    with pytest.raises(InvalidValue, match="speed"):
        ReplayClock(START, START, speed)


def test_a_fixed_clock_never_goes_back() -> None:
    clock = FixedClock(START)
    clock.advance(timedelta(seconds=1))
    with pytest.raises(InvalidValue):
        clock.advance(timedelta(seconds=-1))
    assert clock.now() == START + timedelta(seconds=1)


@given(st.integers(min_value=0, max_value=4_000_000_000_000))
def test_milliseconds_survive_the_round_trip(stamp: int) -> None:
    assert milliseconds(from_milliseconds(stamp)) == stamp


def test_nobody_else_reads_the_time() -> None:
    """The house rule: one clock. A replay in which one module looks at the wall is no replay."""
    reads = re.compile(r"\b(datetime\.now|datetime\.utcnow|time\.time\(|timezone\.now)")
    sources = [*(ROOT / "moondev").rglob("*.py"), *(ROOT / "apps").rglob("*.py")]
    guilty = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in sources
        if path != ROOT / "moondev/domain/clock.py" and "migrations" not in path.parts
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if reads.search(line)
    ]
    assert guilty == []


@pytest.mark.parametrize("stamp", [1e308, -1e308, 2**70, float("nan"), float("inf"), 1e17])
def test_a_stamp_beyond_the_calendar_is_refused_like_any_other_value(stamp: float) -> None:
    with pytest.raises(InvalidValue, match="stamp_ms"):
        from_milliseconds(stamp)
