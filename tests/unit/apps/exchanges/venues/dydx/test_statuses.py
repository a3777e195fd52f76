"""What the indexer does not know proves something only while it keeps up with the chain."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import UTC, datetime
from typing import cast

import pytest

from apps.exchanges.throttling import Lane
from apps.exchanges.venues.dydx.rest import Rest
from apps.exchanges.venues.dydx.statuses import Statuses
from moondev.domain.clock import FixedClock
from moondev.domain.errors import Connectivity


class Heights:
    """A node, and an indexer some blocks behind it."""

    def __init__(self, behind: int) -> None:
        self.behind = behind

    def height(self) -> int:
        return 1_000

    def indexed_height(self, lane: Lane) -> int:
        assert lane is Lane.RESERVED
        return 1_000 - self.behind


@pytest.mark.parametrize(("behind", "current"), [(-1, True), (0, True), (2, True), (3, False), (500, False)])
def test_an_indexer_behind_the_chain_is_no_witness(behind: int, current: bool) -> None:
    statuses = Statuses(cast(Rest, Heights(behind)), FixedClock(datetime(2026, 1, 1, tzinfo=UTC)))
    with nullcontext() if current else pytest.raises(Connectivity, match="behind the chain"):
        statuses.require_current()
