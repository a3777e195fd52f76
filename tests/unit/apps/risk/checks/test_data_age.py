from __future__ import annotations

from datetime import timedelta

import pytest

from apps.risk.checks.data_age import find_stale_data
from moondev.domain.decisions import RefusalCode


def test_passes_data_as_old_as_the_limit(candidate) -> None:
    assert find_stale_data(candidate(age=timedelta(milliseconds=5_000))) is None


def test_refuses_data_older_than_the_limit(candidate) -> None:
    breach = find_stale_data(candidate(age=timedelta(milliseconds=5_001)))
    assert breach is not None
    assert (breach.code, breach.limit, breach.value) == (RefusalCode.DATA_TOO_OLD, 5_000, 5_001)


@pytest.mark.parametrize("changes", [{"age": None}, {"age": timedelta.max}, {"mid": None}])
def test_refuses_missing_data(candidate, changes) -> None:
    breach = find_stale_data(candidate(**changes))
    assert breach is not None
    assert breach.code is RefusalCode.DATA_MISSING
