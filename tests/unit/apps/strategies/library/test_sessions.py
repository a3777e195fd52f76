from datetime import UTC, date, datetime

import pytest

from apps.strategies.library.sessions import holidays, in_session, in_weekend
from moondev.domain.errors import InvalidValue


@pytest.mark.parametrize(
    ("moment", "inside"),
    [
        # Summer: New York is four hours behind UTC.
        (datetime(2025, 7, 23, 13, 29, 59, tzinfo=UTC), False),
        (datetime(2025, 7, 23, 13, 30, tzinfo=UTC), True),
        (datetime(2025, 7, 23, 19, 59, 59, tzinfo=UTC), True),
        (datetime(2025, 7, 23, 20, 0, tzinfo=UTC), False),
        # Winter: five hours.
        (datetime(2025, 1, 22, 14, 29, tzinfo=UTC), False),
        (datetime(2025, 1, 22, 14, 30, tzinfo=UTC), True),
        # Saturday, Sunday, Independence Day.
        (datetime(2025, 7, 26, 15, 0, tzinfo=UTC), False),
        (datetime(2025, 7, 27, 15, 0, tzinfo=UTC), False),
        (datetime(2025, 7, 4, 15, 0, tzinfo=UTC), False),
    ],
)
def test_the_session_is_new_yorks(moment: datetime, inside: bool) -> None:
    assert in_session(moment) is inside


@pytest.mark.parametrize(
    ("moment", "inside"),
    [
        (datetime(2025, 7, 25, 19, 59, 59, tzinfo=UTC), False),
        (datetime(2025, 7, 25, 20, 0, tzinfo=UTC), True),
        (datetime(2025, 7, 27, 12, 0, tzinfo=UTC), True),
        (datetime(2025, 7, 28, 13, 29, tzinfo=UTC), True),
        (datetime(2025, 7, 28, 13, 30, tzinfo=UTC), False),
        # Friday evening in New York is Saturday in UTC, and Thursday evening is Friday.
        (datetime(2025, 7, 26, 1, 0, tzinfo=UTC), True),
        (datetime(2025, 7, 25, 1, 0, tzinfo=UTC), False),
    ],
)
def test_the_weekend_runs_from_fridays_close_to_mondays_open(moment: datetime, inside: bool) -> None:
    assert in_weekend(moment) is inside


def test_holidays_are_those_the_exchange_kept() -> None:
    assert holidays(2024) == {
        date(2024, 1, 1),
        date(2024, 1, 15),
        date(2024, 2, 19),
        date(2024, 3, 29),
        date(2024, 5, 27),
        date(2024, 6, 19),
        date(2024, 7, 4),
        date(2024, 9, 2),
        date(2024, 11, 28),
        date(2024, 12, 25),
    }


def test_holidays_move_off_weekends_except_a_new_year_on_saturday() -> None:
    assert date(2021, 7, 5) in holidays(2021)
    assert date(2021, 12, 24) in holidays(2021)
    assert date(2021, 6, 18) not in holidays(2021)
    assert date(2023, 1, 2) in holidays(2023)
    assert date(2021, 12, 31) not in holidays(2021)
    assert not any(day.month == 1 and day.day < 10 for day in holidays(2022))
    assert date(2022, 4, 15) in holidays(2022)
    assert date(2025, 4, 18) in holidays(2025)


@pytest.mark.parametrize("ask", [in_session, in_weekend])
def test_refuses_a_naive_time(ask: object) -> None:
    with pytest.raises(InvalidValue, match="a time with a time zone"):
        ask(datetime(2025, 7, 23, 15, 0))  # type: ignore[operator]  # noqa: DTZ001
