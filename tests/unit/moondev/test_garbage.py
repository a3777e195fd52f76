"""What is there when a process begins to serve is not walked over again and again."""

from __future__ import annotations

import gc

import pytest

from moondev.garbage import MIDDLE, NEW, YOUNG, rarely_collect


@pytest.fixture(autouse=True)
def _as_before():
    before = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)


def test_what_lives_already_is_left_out_and_the_rest_is_looked_at_seldom():
    kept, frozen = [[] for _ in range(1_000)], gc.get_freeze_count()
    rarely_collect()
    assert gc.get_freeze_count() >= frozen + len(kept)
    assert gc.get_threshold() == (NEW, YOUNG, MIDDLE)
